// Snowplow's tracker for servers, as a program uses it. Each line on standard input is the name of a builder and what
// it takes: {"call":"buildPageView","with":{"event":{…},"context":[…],"visitor":"…"}}. Says on standard output what
// became of each event.
import { createInterface } from 'node:readline'
import * as snowplow from '@snowplow/node-tracker'

const [endpoint, appId, eventMethod = 'post'] = process.argv.slice(2)
let open = 0
const done = (fate, events) => {
  for (const { eid } of events) console.log(`${fate} ${eid}`)
  open -= events.length
}
const tracker = snowplow.newTracker({ namespace: 'tests', appId }, {
  endpoint,
  eventMethod,
  bufferSize: 10,
  onRequestSuccess: events => done('delivered', events),
  onRequestFailure: ({ events, willRetry }) => willRetry || done('failed', events),
})

for await (const line of createInterface({ input: process.stdin })) {
  const { call, with: { event, context, visitor } } = JSON.parse(line)
  tracker.setDomainUserId(visitor)
  tracker.track(snowplow[call](event), context)
  open++
}
// A flush ends when the server does not answer.
while (open > 0) {
  await tracker.flush()
  await new Promise(resolve => setTimeout(resolve, 50))
}
