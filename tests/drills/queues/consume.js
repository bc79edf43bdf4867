'use strict';
/* usage: node consume.js SERVERS TOPIC COUNT
 * Prints that many messages of a topic as kafkajs reads them, a JSON array a
 * line: partition, offset, value in base64. */
const { Kafka, logLevel } = require('kafkajs');

const [servers, topic, count] = process.argv.slice(2);
const kafka = new Kafka({ brokers: servers.split(','), logLevel: logLevel.ERROR });
const consumer = kafka.consumer({ groupId: 'drill' });
let left = Number(count);

async function run() {
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      if (left > 0) {
        console.log(JSON.stringify([partition, Number(message.offset),
          message.value.toString('base64')]));
        left -= 1;
      }
      if (left === 0) {
        setImmediate(() => process.exit(0));
      }
    },
  });
}
run().catch((e) => { console.error(e); process.exit(1); });
