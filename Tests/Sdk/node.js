// The SDK for servers, as a program uses it. Each line on standard input is a call: {"call":"track","with":{…}}.
// Says on standard output what became of each message; the end of the input closes and flushes.
import { createInterface } from 'node:readline'
import { Analytics } from '@segment/analytics-node'

const [host, writeKey] = process.argv.slice(2)
const analytics = new Analytics({ host, writeKey, flushAt: 10, flushInterval: 50, maxRetries: 100 })
analytics.on('error', () => {}) // each message's callback is told too

for await (const line of createInterface({ input: process.stdin })) {
  const { call, with: message } = JSON.parse(line)
  analytics[call](message, (error, context) =>
    console.log(`${error ? 'failed' : 'delivered'} ${context.event.messageId}`))
}
await analytics.flush({ close: true })
