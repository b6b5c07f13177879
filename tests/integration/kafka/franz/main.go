// franz-go's client for tests. Arguments: a file with settings and one with arguments (JSON objects), a command.
// It writes one JSON object a line: what the command found, or the error's name in Kafka.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

type settings struct {
	Bootstrap, Mechanism, Username, Password, Ca, Certificate, Key string
	// Loopback says that all names are at the loopback address.
	Loopback bool
}

type arguments struct {
	Topic, Acks, Group, Protocol, TransactionalId, Name, Value string
	Values                                                     []string
	Count                                                      int
	Partitions                                                 int32
	Committed, Commit                                          bool
}

type object map[string]any

var out sync.Mutex

func say(what any) {
	out.Lock()
	defer out.Unlock()
	line, err := json.Marshal(what)
	check(err)
	fmt.Println(string(line))
}

// check ends the program where there is an error, which it writes as the result.
func check(err error) {
	if err == nil {
		return
	}
	name := "UNKNOWN"
	var known *kerr.Error
	if errors.As(err, &known) {
		name = known.Message
	}
	say(object{"error": name, "detail": err.Error()})
	os.Exit(0)
}

func read(path string, into any) {
	text, err := os.ReadFile(path)
	check(err)
	check(json.Unmarshal(text, into))
}

func (s settings) options() []kgo.Opt {
	options := []kgo.Opt{kgo.SeedBrokers(strings.Split(s.Bootstrap, ",")...)}
	if s.Ca != "" {
		options = append(options, kgo.Dialer(s.dial))
	}
	if s.Mechanism != "" {
		options = append(options, kgo.SASL(s.sasl()))
	}
	return options
}

func (s settings) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	config := s.tls()
	config.ServerName = host
	if s.Loopback {
		address = net.JoinHostPort("127.0.0.1", port)
	}
	return (&tls.Dialer{Config: config}).DialContext(ctx, network, address)
}

func (s settings) tls() *tls.Config {
	text, err := os.ReadFile(s.Ca)
	check(err)
	config := &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	config.RootCAs.AppendCertsFromPEM(text)
	if s.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(s.Certificate, s.Key)
		check(err)
		config.Certificates = []tls.Certificate{pair}
	}
	return config
}

func (s settings) sasl() sasl.Mechanism {
	auth := scram.Auth{User: s.Username, Pass: s.Password}
	switch s.Mechanism {
	case "SCRAM-SHA-256":
		return auth.AsSha256Mechanism()
	case "SCRAM-SHA-512":
		return auth.AsSha512Mechanism()
	case "OAUTHBEARER":
		return oauth.Auth{Token: s.Password}.AsMechanism()
	default:
		return plain.Auth{User: s.Username, Pass: s.Password}.AsMechanism()
	}
}

func client(options []kgo.Opt, more ...kgo.Opt) *kgo.Client {
	made, err := kgo.NewClient(append(slices.Clone(options), more...)...)
	check(err)
	return made
}

func records(given arguments) []*kgo.Record {
	made := make([]*kgo.Record, 0, len(given.Values))
	for _, value := range given.Values {
		made = append(made, &kgo.Record{Topic: given.Topic, Value: []byte(value)})
	}
	return made
}

func produce(ctx context.Context, options []kgo.Opt, given arguments) {
	acks := map[string]kgo.Acks{"all": kgo.AllISRAcks(), "1": kgo.LeaderAck(), "0": kgo.NoAck()}[given.Acks]
	more := []kgo.Opt{kgo.RequiredAcks(acks)}
	if given.Acks != "all" {
		more = append(more, kgo.DisableIdempotentWrite())
	}
	one := client(options, more...)
	defer one.Close()
	for _, result := range one.ProduceSync(ctx, records(given)...) {
		check(result.Err)
		say(object{"partition": result.Record.Partition, "offset": result.Record.Offset})
	}
}

func transact(ctx context.Context, options []kgo.Opt, given arguments) {
	one := client(options, kgo.TransactionalID(given.TransactionalId))
	defer one.Close()
	check(one.BeginTransaction())
	check(one.ProduceSync(ctx, records(given)...).FirstErr())
	check(one.EndTransaction(ctx, kgo.TransactionEndTry(given.Commit)))
}

func consume(ctx context.Context, options []kgo.Opt, given arguments) {
	level := kgo.ReadUncommitted()
	if given.Committed {
		level = kgo.ReadCommitted()
	}
	start := kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())
	one := client(options, kgo.ConsumeTopics(given.Topic), start, kgo.FetchIsolationLevel(level))
	defer one.Close()
	for left := given.Count; left > 0; {
		left -= sayFetched(one.PollRecords(ctx, left))
	}
}

func sayFetched(fetches kgo.Fetches) int {
	for _, failed := range fetches.Errors() {
		if !errors.Is(failed.Err, context.DeadlineExceeded) && !errors.Is(failed.Err, context.Canceled) {
			check(failed.Err)
		}
	}
	fetches.EachRecord(func(record *kgo.Record) { say(object{"value": string(record.Value)}) })
	return fetches.NumRecords()
}

// assigned keeps and tells the partitions that a member has.
type assigned struct {
	lock sync.Mutex
	now  map[int32]bool
}

func (a *assigned) change(topics map[string][]int32, has bool) {
	a.lock.Lock()
	defer a.lock.Unlock()
	for _, partitions := range topics {
		for _, partition := range partitions {
			if has {
				a.now[partition] = true
			} else {
				delete(a.now, partition)
			}
		}
	}
	all := []int32{}
	for partition := range a.now {
		all = append(all, partition)
	}
	say(object{"assigned": all})
}

func member(ctx context.Context, options []kgo.Opt, given arguments) {
	ctx, stop := context.WithCancel(ctx)
	go func() {
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
		stop()
	}()
	has := &assigned{now: map[int32]bool{}}
	take := func(_ context.Context, _ *kgo.Client, topics map[string][]int32) { has.change(topics, true) }
	give := func(_ context.Context, _ *kgo.Client, topics map[string][]int32) { has.change(topics, false) }
	one := client(options, kgo.ConsumeTopics(given.Topic), kgo.ConsumerGroup(given.Group),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.HeartbeatInterval(300*time.Millisecond),
		kgo.OnPartitionsAssigned(take), kgo.OnPartitionsRevoked(give), kgo.OnPartitionsLost(give))
	for ctx.Err() == nil {
		sayFetched(one.PollFetches(ctx))
	}
	check(one.CommitUncommittedOffsets(context.Background()))
	one.CloseAllowingRebalance()
}

func administer(ctx context.Context, admin *kadm.Client, given arguments, command string) {
	switch command {
	case "create-topic":
		answer, err := admin.CreateTopic(ctx, given.Partitions, -1, nil, given.Topic)
		check(err)
		check(answer.Err)
	case "delete-topic":
		answer, err := admin.DeleteTopic(ctx, given.Topic)
		check(err)
		check(answer.Err)
	case "topics":
		found, err := admin.ListTopics(ctx)
		check(err)
		say(object{"topics": found.Names()})
	case "leaders":
		say(object{"leaders": leaders(ctx, admin, given.Topic)})
	case "nodes":
		found, err := admin.BrokerMetadata(ctx)
		check(err)
		say(object{"nodes": addresses(found.Brokers)})
	case "configs":
		say(object{"configs": configs(ctx, admin, given.Topic)})
	case "alter-config":
		change := kadm.AlterConfig{Op: kadm.SetConfig, Name: given.Name, Value: &given.Value}
		answer, err := admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{change}, given.Topic)
		check(err)
		check(answer[0].Err)
	case "group-state":
		found, err := admin.DescribeGroups(ctx, given.Group)
		check(err)
		check(found[given.Group].Err)
		say(object{"state": found[given.Group].State})
	case "groups":
		found, err := admin.ListGroups(ctx)
		check(err)
		say(object{"groups": found.Groups()})
	default:
		check(fmt.Errorf("unknown command %s", command))
	}
}

func leaders(ctx context.Context, admin *kadm.Client, topic string) map[string]string {
	found, err := admin.Metadata(ctx, topic)
	check(err)
	check(found.Topics[topic].Err)
	at := map[int32]string{}
	for _, broker := range found.Brokers {
		at[broker.NodeID] = address(broker)
	}
	all := map[string]string{}
	for number, partition := range found.Topics[topic].Partitions {
		all[fmt.Sprint(number)] = at[partition.Leader]
	}
	return all
}

func configs(ctx context.Context, admin *kadm.Client, topic string) map[string]*string {
	found, err := admin.DescribeTopicConfigs(ctx, topic)
	check(err)
	check(found[0].Err)
	all := map[string]*string{}
	for _, entry := range found[0].Configs {
		all[entry.Key] = entry.Value
	}
	return all
}

func addresses(brokers []kadm.BrokerDetail) []string {
	all := []string{}
	for _, broker := range brokers {
		all = append(all, address(broker))
	}
	return all
}

func address(broker kadm.BrokerDetail) string {
	return fmt.Sprintf("%s:%d", broker.Host, broker.Port)
}

func main() {
	var where settings
	var given arguments
	read(os.Args[1], &where)
	read(os.Args[2], &given)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	options := where.options()
	switch command := os.Args[3]; command {
	case "produce":
		produce(ctx, options, given)
	case "transact":
		transact(ctx, options, given)
	case "consume":
		consume(ctx, options, given)
	case "member":
		member(ctx, options, given)
	default:
		one := client(options)
		defer one.Close()
		administer(ctx, kadm.NewClient(one), given, command)
	}
}
