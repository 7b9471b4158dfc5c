// Verifies webhooks as their receiver does. Each line on standard input is one: {"secret","headers","body"}. Says "valid"
// and its type, or "refused", for each.
import { createInterface } from 'node:readline'
import { Webhook } from 'standardwebhooks'

for await (const line of createInterface({ input: process.stdin })) {
  const { secret, headers, body } = JSON.parse(line)
  try {
    console.log(`valid ${new Webhook(secret).verify(body, headers).type}`)
  } catch {
    console.log('refused')
  }
}
