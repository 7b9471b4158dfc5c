// What the client does in browsers and in Node alike. The platform brings what differs: see browser.js and node.js.
import { failed, isTemporary, readAnswer } from './answer.js'

const eventBytesMax = 64 * 1024
const retryAfterMax = 3_600_000
const closingDelayMax = 1_000
const timeoutMax = 2 ** 31 - 1 // of a timer
// A younger event gets its time from the server, whose clock is better than a visitor's.
const youngMax = 10_000
// {"timestamp":"2026-01-01T00:00:00.000Z", as every event begins.
const timestampLength = 40

const encoder = new TextEncoder()

export class Client {
  #settings
  #platform
  #waiting = [] // in their order; those under way come first
  #underWay = 0
  #sequence = 0
  #failed = 0 // tries in a row
  #batchMax
  #timer
  #isRunning = false
  #isHurried = false
  #isRetrying = false
  #isClosing = false
  #hasEnded = false
  #request
  #flushes = []
  #counts = { recorded: 0, refused: 0, dropped: 0 }

  /**
   * @param settings The program's, as index.d.ts has them, with defaults.
   * @param platform url, headers, uuid(), batchBytesMax, keepaliveBytesMax, trustsClock, and a store with
   * add(id, text), remove(kept) and left().
   */
  constructor(settings, platform) {
    this.#settings = settings
    this.#platform = platform
    this.#batchMax = settings.batchEventsMax
    for (const { id, text, kept } of platform.store.left()) this.#push({ id, text, kept, isOld: true })
    if (this.#waiting.length) this.#schedule(settings.batchDelay)
  }

  get figures() {
    return { ...this.#counts, waiting: this.#waiting.length }
  }

  track(action, event) {
    let id = '', time, text
    try {
      const { fingerprint, product, timestamp, properties } = event ?? {}
      id = `${event?.id ?? ''}` || this.#platform.uuid()
      time = timestamp == null ? undefined : timeOf(timestamp)
      if (time === null) return this.#refuse(id, '', invalid('timestamp', 'It is not a time.'))
      text = JSON.stringify({
        timestamp: time ?? new Date().toISOString(), action, product: product ?? this.#settings.product,
        fingerprint: fingerprint ?? this.#platform.fingerprint?.(), id, properties: properties ?? undefined,
      })
      if (properties != null && !JSON.stringify(properties)?.startsWith('{')) throw new Error('It is no JSON object.')
    } catch (error) {
      return this.#refuse(id, '', invalid('properties', describe(error)))
    }
    if (encoder.encode(text).length > eventBytesMax)
      return this.#refuse(id, '',
        { status: 413, reason: 'body_too_large', detail: `An event takes at most ${eventBytesMax} bytes.` })
    return this.#add({ id, text, isOld: time !== undefined })
  }

  flush() {
    if (!this.#waiting.length || this.#hasEnded) return Promise.resolve()
    const flushed = new Promise(done => this.#flushes.push({ through: this.#sequence, done }))
    this.hurry()
    return flushed
  }

  async close(options) {
    const timeout = Math.min(options?.timeout ?? 5_000, timeoutMax)
    this.#isClosing = true
    if (this.#isRetrying) this.#schedule(0)
    const flushed = this.flush()
    let timer
    await Promise.race([flushed, new Promise(done => timer = setTimeout(done, timeout))])
    clearTimeout(timer)
    this.#end()
  }

  /** What gathers is sent now. What waits for another try goes on waiting. */
  hurry() {
    this.#isHurried = this.#waiting.length > 0
    if (!this.#isRetrying) this.#schedule(0)
  }

  /** What waits for another try is sent now. If that fails, the delays begin anew. */
  retry() {
    this.#failed = 0
    if (this.#isRetrying) this.#schedule(0)
  }

  /** The body of a request with what waits and is not under way, of at most so many bytes; null if there is none. */
  bodyOfRest(bytesMax) {
    const rest = this.#fill(this.#waiting.slice(this.#underWay), this.#settings.batchEventsMax, bytesMax)
    const body = this.#bodyOf(rest)
    return rest.length && body.length <= bytesMax ? body : null
  }

  #add(event) {
    const isFull = this.#waiting.length - this.#underWay >= this.#settings.queueEventsMax
    if (this.#isClosing || (isFull && this.#settings.whenFull == 'newest')) {
      this.#counts.dropped++
      return false
    }
    if (isFull) {
      const [oldest] = this.#waiting.splice(this.#underWay, 1)
      this.#platform.store.remove(oldest.kept)
      this.#counts.dropped++
    }
    this.#push({ ...event, kept: this.#platform.store.add(event.id, event.text) })
    if (!this.#isRetrying && !this.#isRunning && this.#timer === undefined) this.#schedule(this.#settings.batchDelay)
    return true
  }

  // However many an earlier client has left, none of them is dropped.
  #push({ id, text, kept, isOld }) {
    this.#waiting.push({
      id, text, isOld, kept, sequence: ++this.#sequence, trackedAt: Date.now(), tries: 0,
      bytes: encoder.encode(text).length,
    })
  }

  #schedule(delay) {
    clearTimeout(this.#timer)
    if (this.#hasEnded) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#run()
    }, delay)
  }

  async #run() {
    if (this.#isRunning) return
    this.#isRunning = true
    this.#isRetrying = false
    let delay
    while (delay === undefined && this.#waiting.length && !this.#hasEnded) {
      const batch = this.#fill(this.#waiting, this.#batchMax, this.#platform.batchBytesMax)
      this.#underWay = batch.length
      const isCut = batch.length < Math.min(this.#waiting.length, this.#batchMax) // by its bytes
      const answer = await this.#post(batch)
      this.#underWay = 0
      if (this.#hasEnded) break
      this.#apply(batch, answer)
      delay = this.#delayAfter(answer, isCut)
    }
    this.#isRunning = false
    if (this.#waiting.length) this.#schedule(delay)
    else this.#isRetrying = this.#isHurried = false
  }

  // Undefined sends at once what still waits.
  #delayAfter({ fault, problem, retryAfter }, isCut) {
    if (fault) return undefined
    if (problem) {
      if (this.#isClosing && this.#waiting.every(({ kept }) => kept !== undefined)) {
        this.#end() // the next start sends them
        return undefined
      }
      this.#failed++
      this.#isRetrying = true
      const delay = this.#retryDelay(retryAfter)
      tell(this.#settings.onProblem, { problem, failed: this.#failed, delay })
      return delay
    }
    this.#failed = 0
    return isCut || this.#isHurried || this.#isClosing || this.#waiting.length >= this.#settings.batchEventsMax
      ? undefined : this.#settings.batchDelay
  }

  #retryDelay(retryAfter) {
    const { retryDelay, retryDelayMax } = this.#settings
    const chance = Math.random()
    // Clients that were refused together do not come back together.
    const delay = Math.min(retryDelay * 2 ** Math.min(this.#failed - 1, 30), retryDelayMax) * (1 - chance / 2)
    if (this.#isClosing) return Math.min(delay, closingDelayMax)
    return Math.max(delay, Math.min(retryAfter ?? 0, retryAfterMax) * (1 + chance / 10))
  }

  // The first of these events that fit; at least one.
  #fill(events, eventsMax, bytesMax) {
    let count = 0, bytes = 2
    while (count < events.length && count < eventsMax
        && (count == 0 || bytes + events[count].bytes + 1 <= bytesMax)) bytes += events[count++].bytes + 1
    return events.slice(0, count)
  }

  #bodyOf(batch) {
    const now = Date.now()
    return `[${batch.map(({ text, isOld, tries, trackedAt }) =>
      this.#platform.trustsClock || isOld || tries > 1 || now - trackedAt > youngMax ? text
        : `{${text.slice(timestampLength)}`).join()}]`
  }

  async #post(batch) {
    for (const event of batch) event.tries++
    const body = this.#bodyOf(batch)
    const { url, headers, keepaliveBytesMax } = this.#platform
    this.#request = new AbortController()
    const timer = setTimeout(() => this.#request.abort(), this.#settings.requestTimeout)
    try {
      const response = await fetch(url, {
        method: 'POST', body, headers, signal: this.#request.signal, redirect: 'manual', credentials: 'omit',
        keepalive: encoder.encode(body).length <= keepaliveBytesMax,
      })
      const answer = readAnswer(response.status, await response.text(), batch.length)
      return { ...answer, retryAfter: parseRetryAfter(response.headers.get('retry-after')) }
    } catch (error) {
      return failed(this.#request.signal.aborted ? 'no answer in time' : `${error.cause?.message || error.message}`)
    } finally {
      clearTimeout(timer)
    }
  }

  #apply(batch, { handled, refused, fault }) {
    const refusals = new Map(refused.map(one => [one.index, one]))
    const again = []
    batch.forEach((event, index) => {
      // Alone in its batch, an event at fault is found.
      const refusal = refusals.get(index) ?? (index >= handled && batch.length == 1 ? fault : undefined)
      if (refusal ? isTemporary(refusal.status) : index >= handled) return again.push(event)
      this.#platform.store.remove(event.kept)
      if (refusal) this.#refuse(event.id, event.text, refusal)
      else this.#counts.recorded++
      if (!refusal) this.#failed = 0 // it is overloaded, not away
    })
    this.#waiting.splice(0, batch.length, ...again)
    this.#batchMax = fault ? Math.max(1, batch.length >> 1)
      : Math.min(this.#settings.batchEventsMax, 2 * this.#batchMax)
    const oldest = this.#waiting[0]?.sequence ?? Infinity
    this.#flushes = this.#flushes.filter(({ through, done }) => through >= oldest || done())
  }

  #refuse(id, event, { status, reason, detail, field }) {
    this.#counts.refused++
    tell(this.#settings.onRefused, { status, reason, detail, field, id, event })
    return false
  }

  // Nothing is sent any more. What waits stays in the store, or is dropped.
  #end() {
    if (this.#hasEnded) return
    this.#hasEnded = true
    clearTimeout(this.#timer)
    this.#request?.abort()
    const lost = this.#waiting.filter(({ kept }) => kept === undefined)
    this.#counts.dropped += lost.length
    this.#waiting = this.#waiting.filter(({ kept }) => kept !== undefined)
    this.#platform.store.close?.()
    for (const { done } of this.#flushes.splice(0)) done()
  }
}

/** Calls the program's own code, whose faults must not end the sending. */
export function tell(callback, what) {
  try {
    Promise.resolve(callback?.(what)).catch(error => console.error(error))
  } catch (error) {
    console.error(error)
  }
}

const invalid = (field, detail) => ({ status: 422, reason: `invalid_${field}`, detail, field })

function timeOf(timestamp) {
  const time = new Date(timestamp)
  return Number.isNaN(time.getTime()) ? null : time.toISOString()
}

function describe(error) {
  try {
    return `${error?.message ?? error}`
  } catch {
    return 'It cannot be written as JSON.'
  }
}

function parseRetryAfter(header) {
  if (!header) return undefined
  return /^\d+$/.test(header) ? header * 1000 : Math.max(0, Date.parse(header) - Date.now()) || undefined
}
