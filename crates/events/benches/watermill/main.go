// Watermill's SQL subscriber on PostgreSQL, as the peer of our subscription: so many messages wait in its table, one
// consumer group takes them in order, and writes a row for each in the transaction that moves its offset.
//
// usage: watermill URL MESSAGES BYTES. Prints the messages a second, from the start of the subscription to the commit
// behind the last message.
package main

import (
	"bytes"
	"context"
	stdsql "database/sql"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill-sql/v3/pkg/sql"
	"github.com/ThreeDotsLabs/watermill/message"
	_ "github.com/lib/pq"
)

const topic = "placed"

func main() {
	messages, size := number(os.Args[2]), number(os.Args[3])
	db, err := stdsql.Open("postgres", os.Args[1])
	must(err)
	_, err = db.Exec("CREATE TABLE effect (ordinal BIGSERIAL PRIMARY KEY, key TEXT NOT NULL, version BIGINT NOT NULL)")
	must(err)
	schema := sql.DefaultPostgreSQLSchema{
		GeneratePayloadType: func(string) string { return "BYTEA" },
		SubscribeBatchSize:  100,
	}
	publish(db, schema, messages, size)
	fmt.Printf("%.0f\n", take(db, schema, messages))
}

func publish(db *stdsql.DB, schema sql.DefaultPostgreSQLSchema, messages, size int) {
	config := sql.PublisherConfig{SchemaAdapter: schema, AutoInitializeSchema: true}
	publisher, err := sql.NewPublisher(db, config, watermill.NopLogger{})
	must(err)
	payload := bytes.Repeat([]byte{7}, size)
	for first := 0; first < messages; first += 500 {
		batch := make([]*message.Message, 0, 500)
		for n := first; n < min(first+500, messages); n++ {
			next := message.NewMessage(watermill.NewUUID(), payload)
			next.Metadata.Set("key", "k"+strconv.Itoa(n%1024))
			batch = append(batch, next)
		}
		must(publisher.Publish(topic, batch...))
	}
}

func take(db *stdsql.DB, schema sql.DefaultPostgreSQLSchema, messages int) float64 {
	subscriber, err := sql.NewSubscriber(db, sql.SubscriberConfig{
		ConsumerGroup:    "mails",
		PollInterval:     time.Millisecond,
		SchemaAdapter:    schema,
		OffsetsAdapter:   sql.DefaultPostgreSQLOffsetsAdapter{},
		InitializeSchema: true,
	}, watermill.NopLogger{})
	must(err)
	began := time.Now()
	arriving, err := subscriber.Subscribe(context.Background(), topic)
	must(err)
	for n := 0; n < messages; n++ {
		arrived := <-arriving
		tx, ok := sql.TxFromContext(arrived.Context())
		if !ok {
			log.Fatal("a message without its transaction")
		}
		_, err := tx.Exec("INSERT INTO effect (key, version) VALUES ($1, $2)", arrived.Metadata.Get("key"), n)
		must(err)
		arrived.Ack()
	}
	for count := 0; count < messages; time.Sleep(time.Millisecond) {
		must(db.QueryRow("SELECT count(*) FROM effect").Scan(&count))
	}
	return float64(messages) / time.Since(began).Seconds()
}

func number(text string) int {
	parsed, err := strconv.Atoi(text)
	must(err)
	return parsed
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
