import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Sends records at a constant rate and times each, in nanoseconds, from the moment when it was due: until it is
 * acknowledged, and until a consumer in the same process has it. Arguments: properties, topic, rate, records to
 * warm up, records, bytes. It writes: requests, then p50 and p99 of both times in microseconds.
 */
public final class Latency {
    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        try (var reader = Files.newBufferedReader(Path.of(arguments[0]))) {
            properties.load(reader);
        }
        String topic = arguments[1];
        int rate = Integer.parseInt(arguments[2]);
        int warmUp = Integer.parseInt(arguments[3]);
        int count = warmUp + Integer.parseInt(arguments[4]);
        byte[] payload = new byte[Integer.parseInt(arguments[5])];
        properties.put("key.serializer", ByteArraySerializer.class.getName());
        properties.put("value.serializer", ByteArraySerializer.class.getName());
        properties.put("key.deserializer", ByteArrayDeserializer.class.getName());
        properties.put("value.deserializer", ByteArrayDeserializer.class.getName());
        properties.put("linger.ms", "0");
        long[] acknowledged = new long[count];
        long[] received = new long[count];
        CountDownLatch done = new CountDownLatch(count);
        CountDownLatch ready = new CountDownLatch(1);
        Thread reader = new Thread(() -> read(properties, topic, received, ready));
        reader.start();
        ready.await();
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(properties)) {
            producer.partitionsFor(topic);
            long start = System.nanoTime();
            for (int number = 0; number < count; number++) {
                long due = start + number * 1_000_000_000L / rate;
                for (long left; (left = due - System.nanoTime()) > 0;) {
                    LockSupport.parkNanos(left);
                }
                byte[] value = payload.clone();
                ByteBuffer.wrap(value).putLong(due).putInt(number);
                int index = number;
                producer.send(new ProducerRecord<>(topic, 0, null, value), (at, error) -> {
                    if (error != null) {
                        error.printStackTrace();
                        System.exit(1);
                    }
                    acknowledged[index] = System.nanoTime() - due;
                    done.countDown();
                });
            }
            done.await();
            double requests = producer.metrics().entrySet().stream()
                .filter(one -> one.getKey().group().equals("producer-metrics")
                    && one.getKey().name().equals("request-total"))
                .mapToDouble(one -> (double) one.getValue().metricValue()).sum();
            reader.join();
            System.out.printf("%.0f", requests);
        }
        for (long[] times : List.of(acknowledged, received)) {
            long[] sorted = Arrays.stream(times, warmUp, count).sorted().toArray();
            System.out.printf(" %.1f %.1f", at(sorted, 0.5), at(sorted, 0.99));
        }
        System.out.println();
    }

    private static double at(long[] sorted, double part) {
        return sorted[(int) (part * (sorted.length - 1))] / 1000.0;
    }

    private static void read(Properties properties, String topic, long[] received, CountDownLatch ready) {
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(properties)) {
            TopicPartition partition = new TopicPartition(topic, 0);
            consumer.assign(List.of(partition));
            consumer.seekToEnd(List.of(partition));
            consumer.position(partition);
            ready.countDown();
            for (int left = received.length; left > 0;) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
                    ByteBuffer value = ByteBuffer.wrap(record.value());
                    long due = value.getLong();
                    received[value.getInt()] = System.nanoTime() - due;
                    left--;
                }
            }
        }
    }
}
