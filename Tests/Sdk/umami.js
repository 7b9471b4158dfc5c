// Umami's SDK for node, as a program uses it. Each line on standard input is an event: {"name":"buy","data":{…}}; without a name
// it is what the SDK sends as it is, and with "identify" it says who the visitor is. Says each answer's status and body.
import { createInterface } from 'node:readline'
import { Umami } from '@umami/node'

const [hostUrl, websiteId] = process.argv.slice(2)
const umami = new Umami({ hostUrl, websiteId })
for await (const line of createInterface({ input: process.stdin })) {
  const { name, data, identify } = JSON.parse(line)
  const sent = identify ? umami.identify(identify) : umami.track(name ?? data, data)
  const answer = await sent
  console.log(answer.status, JSON.stringify(await answer.json()))
}
