// The client in browsers.
import { Client } from './client.js'
import { readSettings } from './settings.js'

// What a browser sends for a page that has gone is 64 KiB at most, whatever is under way together.
const keepaliveBytesMax = 60_000

const random = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(16)) // randomUUID is for https alone
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
}

const wantsPrivacy = () => globalThis.navigator?.doNotTrack == 1 || globalThis.navigator?.globalPrivacyControl == true

/** Each event has a name of its own, so that tabs never overwrite each other's. */
class Store {
  #home
  #storage
  #visitor

  constructor(url) {
    this.#home = `tally-client ${url} `
    try {
      this.#storage = localStorage
    } catch {
      // The browser denies it, so events are kept in memory while the page is open.
    }
  }

  /** The visitor, under the name by which Tally's script tag knows it. */
  get visitor() {
    try {
      return this.#storage.tally ||= random()
    } catch {
      return this.#visitor ??= random()
    }
  }

  add(id, text) {
    const name = this.#home + id
    try {
      this.#storage.setItem(name, text)
      return name
    } catch {
      return undefined // it is denied, or full
    }
  }

  remove(name) {
    if (name) this.#storage.removeItem(name)
  }

  /** What other pages have left, oldest first: each text begins with its time. */
  left() {
    return Object.entries(this.#storage ?? {}).filter(([name]) => name.startsWith(this.#home))
      .map(([kept, text]) => ({ id: kept.slice(this.#home.length), text, kept }))
      .sort((one, other) => one.text < other.text ? -1 : 1)
  }
}

/** For a visitor who asks not to be tracked: nothing is sent, and nothing is stored or read. */
const nothing = { add: () => undefined, remove: () => {}, left: () => [] }

export class Tally extends Client {
  #isSilent
  #listening = new AbortController()

  constructor(given) {
    const settings = readSettings(given, { queueEventsMax: 1_000, batchEventsMax: 100 })
    const isSilent = wantsPrivacy()
    const store = isSilent ? nothing : new Store(settings.url)
    // Neither header nor type: a request that needs no preflight leaves a closing page, too.
    const url = new URL(settings.url)
    if (settings.key) url.searchParams.set('writeKey', settings.key)
    super(settings, {
      url, store, uuid: random, keepaliveBytesMax, batchBytesMax: keepaliveBytesMax, trustsClock: false,
      fingerprint: () => store.visitor,
    })
    this.#isSilent = isSilent
    if (!isSilent && globalThis.document) this.#listen(url)
  }

  track(action, event) {
    return !this.#isSilent && super.track(action, event)
  }

  async close(options) {
    await super.close(options)
    this.#listening.abort()
  }

  #listen(url) {
    const { signal } = this.#listening
    let isLeaving = false
    // What is under way goes on without the page. Its answer is lost, so the next page sends it again; it counts once.
    addEventListener('pagehide', () => {
      isLeaving = true
      const body = this.bodyOfRest(keepaliveBytesMax)
      if (body) navigator.sendBeacon(url, body)
    }, { signal })
    addEventListener('pageshow', () => {
      isLeaving = false
      this.hurry()
    }, { signal })
    // On a phone, a page that is not seen may end without a word.
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState == 'hidden' && !isLeaving) this.hurry()
    }, { signal })
    addEventListener('online', () => this.retry(), { signal })
  }
}
