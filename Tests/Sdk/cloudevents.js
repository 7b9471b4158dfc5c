// The SDK of CloudEvents, as a program uses it. Each line on standard input is a content mode and an event:
// {"call":"binary","with":{…}}, or several events for "batch". Says on standard output what became of each event.
import { createInterface } from 'node:readline'
import { CloudEvent, emitterFor, Mode } from 'cloudevents'

const [host] = process.argv.slice(2)

// What the SDK makes is sent as its documentation does it; sending again is left to the program.
const send = async ({ headers, body }) => {
  for (;;) {
    try {
      const { status } = await fetch(`${host}/api/cloudevents`, { method: 'POST', headers, body })
      if (status < 500 && status !== 429) return status
    } catch {
      // no server: it comes back
    }
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
const emit = {
  binary: emitterFor(send, { mode: Mode.BINARY }),
  structured: emitterFor(send, { mode: Mode.STRUCTURED }),
  batch: events => send({
    headers: { 'content-type': 'application/cloudevents-batch+json' },
    body: JSON.stringify(events),
  }),
}

for await (const line of createInterface({ input: process.stdin })) {
  const { call, with: given } = JSON.parse(line)
  const events = [given].flat().map(one => new CloudEvent(one))
  const status = await emit[call](call === 'batch' ? events : events[0])
  for (const { id } of events) console.log(`${status === 200 ? 'delivered' : 'failed'} ${id}`)
}
