import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Java's client for tests. Arguments: a file with properties, a file with arguments (a JSON object), a command.
 * It writes one JSON object a line: what the command found, or the error's name in Kafka.
 */
public final class Driver {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration POLL = Duration.ofMillis(100);

    private final Properties properties = new Properties();
    private final JsonNode given;

    private Driver(String properties, String given) throws Exception {
        try (var reader = Files.newBufferedReader(Path.of(properties))) {
            this.properties.load(reader);
        }
        String token = this.properties.getProperty("sasl.oauthbearer.token.endpoint.url");
        if (token != null) {
            System.setProperty("org.apache.kafka.sasl.oauthbearer.allowed.urls", token);
        }
        String hosts = this.properties.getProperty("hosts.file");
        if (hosts != null) {
            System.setProperty("jdk.net.hosts.file", hosts);
        }
        this.given = JSON.readTree(Path.of(given).toFile());
        this.properties.put("key.serializer", StringSerializer.class.getName());
        this.properties.put("value.serializer", StringSerializer.class.getName());
        this.properties.put("key.deserializer", StringDeserializer.class.getName());
        this.properties.put("value.deserializer", StringDeserializer.class.getName());
    }

    public static void main(String[] arguments) throws Exception {
        try {
            new Driver(arguments[0], arguments[1]).run(arguments[2]);
        } catch (Exception error) {
            Throwable cause = error instanceof ExecutionException ? error.getCause() : error;
            say(Map.of("error", Errors.forException(cause).name(), "detail", cause.toString()));
        }
    }

    private void run(String command) throws Exception {
        switch (command) {
            case "produce" -> produce();
            case "transact" -> transact();
            case "consume" -> consume();
            case "member" -> member();
            case "share" -> share();
            default -> {
                try (Admin admin = Admin.create(properties)) {
                    administer(admin, command);
                }
            }
        }
    }

    private static synchronized void say(Object object) throws Exception {
        System.out.println(JSON.writeValueAsString(object));
        System.out.flush();
    }

    private String topic() {
        return given.get("topic").asText();
    }

    private List<String> values() {
        List<String> values = new ArrayList<>();
        given.get("values").forEach(value -> values.add(value.asText()));
        return values;
    }

    private void produce() throws Exception {
        properties.put("acks", given.get("acks").asText());
        properties.put("enable.idempotence", given.get("acks").asText().equals("all"));
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(properties)) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (String value : values()) {
                sent.add(producer.send(new ProducerRecord<>(topic(), value)));
            }
            producer.flush();
            for (Future<RecordMetadata> one : sent) {
                say(Map.of("partition", one.get().partition(), "offset", one.get().offset()));
            }
        }
    }

    private void transact() throws Exception {
        properties.put("transactional.id", given.get("transactionalId").asText());
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(properties)) {
            producer.initTransactions();
            producer.beginTransaction();
            for (String value : values()) {
                producer.send(new ProducerRecord<>(topic(), value)).get();
            }
            if (given.get("commit").asBoolean()) {
                producer.commitTransaction();
            } else {
                producer.abortTransaction();
            }
        }
    }

    private void consume() throws Exception {
        properties.put("isolation.level", given.get("committed").asBoolean() ? "read_committed" : "read_uncommitted");
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(properties)) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic()).stream()
                .map(one -> new TopicPartition(one.topic(), one.partition())).toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            for (int left = given.get("count").asInt(); left > 0;) {
                left -= sayValues(consumer.poll(POLL));
            }
        }
    }

    private void member() throws Exception {
        properties.put("group.id", given.get("group").asText());
        properties.put("group.protocol", given.get("protocol").asText());
        properties.put("auto.offset.reset", "earliest");
        if (given.get("protocol").asText().equals("classic")) {
            properties.put("heartbeat.interval.ms", "300");
        }
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(properties)) {
            consumer.subscribe(List.of(topic()));
            List<Integer> before = List.of();
            while (System.in.available() == 0) {
                sayValues(consumer.poll(POLL));
                List<Integer> now = consumer.assignment().stream().map(TopicPartition::partition).sorted().toList();
                if (!now.equals(before)) {
                    say(Map.of("assigned", now));
                    before = now;
                }
            }
        }
    }

    private void share() throws Exception {
        properties.put("group.id", given.get("group").asText());
        try (KafkaShareConsumer<String, String> consumer = new KafkaShareConsumer<>(properties)) {
            consumer.subscribe(List.of(topic()));
            while (System.in.available() == 0) {
                Iterable<ConsumerRecord<String, String>> records = consumer.poll(POLL);
                // Told only once they are acknowledged: what is not comes again to another member.
                consumer.commitSync();
                sayValues(records);
            }
        }
    }

    private static int sayValues(Iterable<ConsumerRecord<String, String>> records) throws Exception {
        int count = 0;
        for (ConsumerRecord<String, String> one : records) {
            say(Map.of("value", one.value()));
            count++;
        }
        return count;
    }

    private void administer(Admin admin, String command) throws Exception {
        switch (command) {
            case "create-topic" -> {
                int partitions = given.get("partitions").asInt();
                admin.createTopics(List.of(new NewTopic(topic(), partitions, (short) -1))).all().get();
            }
            case "delete-topic" -> admin.deleteTopics(List.of(topic())).all().get();
            case "topics" -> say(Map.of("topics", admin.listTopics().names().get()));
            case "leaders" -> say(Map.of("leaders", leaders(admin)));
            case "nodes" -> say(Map.of("nodes",
                admin.describeCluster().nodes().get().stream().map(Driver::address).toList()));
            case "configs" -> say(Map.of("configs", configs(admin)));
            case "alter-config" -> {
                ConfigEntry entry = new ConfigEntry(given.get("name").asText(), given.get("value").asText());
                ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic());
                admin.incrementalAlterConfigs(Map.of(resource,
                    List.of(new AlterConfigOp(entry, AlterConfigOp.OpType.SET)))).all().get();
            }
            case "group-state" -> {
                String group = given.get("group").asText();
                say(Map.of("state",
                    admin.describeConsumerGroups(List.of(group)).all().get().get(group).groupState().toString()));
            }
            case "groups" -> say(Map.of("groups",
                admin.listGroups().all().get().stream().map(one -> one.groupId()).toList()));
            default -> throw new IllegalArgumentException(command);
        }
    }

    private Map<Integer, String> leaders(Admin admin) throws Exception {
        return admin.describeTopics(List.of(topic())).allTopicNames().get().get(topic()).partitions().stream()
            .collect(Collectors.toMap(one -> one.partition(), one -> address(one.leader())));
    }

    private Map<String, String> configs(Admin admin) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic());
        Map<String, String> found = new TreeMap<>();
        admin.describeConfigs(List.of(resource)).all().get().get(resource).entries()
            .forEach(one -> found.put(one.name(), one.value()));
        return found;
    }

    private static String address(Node node) {
        return node.host() + ":" + node.port();
    }
}
