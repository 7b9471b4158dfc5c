// The client as a program uses it. Each line on standard input is a call: {"call":"track","with":{…}}. The other
// calls, flush and figures, are answered with a line on standard output, which also tells what is refused. The end of
// the input closes the client.
import { createInterface } from 'node:readline'
import { Tally } from 'tally-client'

const { stopTime = 60_000, whenFull = 'newest', ...settings } = JSON.parse(process.argv[2])
const say = what => console.log(JSON.stringify(what))
const tally = new Tally({
  retryDelay: 50, retryDelayMax: 500, ...settings, whenFull,
  onRefused: refused => say({ refused }),
  onProblem: ({ problem }) => console.error(problem),
})

for await (const line of createInterface({ input: process.stdin })) {
  const { call, with: event } = JSON.parse(line)
  if (call == 'track') tally.track(event.action, event)
  else if (call == 'figures') say({ figures: tally.figures })
  else {
    await tally.flush()
    say({ flushed: true })
  }
}
await tally.close({ timeout: stopTime })
say({ figures: tally.figures })
