// PostHog's SDK for servers, as a program uses it. Each line on standard input is a call:
// {"call":"capture","with":{…}}. Says on standard output what became of each event; the end of the input shuts the SDK
// down.
import { createInterface } from 'node:readline'
import { PostHog } from 'posthog-node'

const [host, token] = process.argv.slice(2)
const client = new PostHog(token, {
  host, flushAt: 10, flushInterval: 50, fetchRetryCount: 600, fetchRetryDelay: 100,
})
client.on('flush', events => events.forEach(({ uuid }) => console.log(`delivered ${uuid}`)))
client.on('error', error => console.log(`failed ${error.status ?? error.name}`))

for await (const line of createInterface({ input: process.stdin })) {
  const { call, with: message } = JSON.parse(line)
  if (message.timestamp) message.timestamp = new Date(message.timestamp)
  client[call](message)
}
await client.shutdown(120_000)
