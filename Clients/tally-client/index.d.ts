/** How a client sends. Times are in milliseconds. */
export interface TallySettings {
  /** Tally's address, such as `https://tally.example`; a path is kept, for a Tally behind a proxy. */
  address: string | URL
  /** The product of events that name none. */
  product?: string
  /** A write key, if Tally has any. In browsers it is part of the URL, and everybody can see it. */
  key?: string
  /** How long an event waits for others that share its request. Default 1,000. */
  batchDelay?: number
  /** How many events a request has at most: up to 5,000. Default 500, in browsers 100. */
  batchEventsMax?: number
  /** How many events may wait, besides those under way. Default 10,000, in browsers 1,000. */
  queueEventsMax?: number
  /** Which event is dropped when `queueEventsMax` wait. Default `newest`: the one being tracked. */
  whenFull?: 'newest' | 'oldest'
  /**
   * How long to wait after a failure; each further one doubles it, and a random part of up to half is subtracted.
   * Default 1,000.
   */
  retryDelay?: number
  /** The longest wait between two tries, unless Tally asks for more (up to an hour). Default 60,000. */
  retryDelayMax?: number
  /** How long a request may take, after which it is sent again. Default 30,000. */
  requestTimeout?: number
  /**
   * Node only: a folder for this process alone, where events that wait are also kept as files. `track` then writes the
   * event to the operating system before it returns, so it survives a crash of the process, and the next process with
   * this folder sends it. The folder must not be shared: another process would send these events, too (they count
   * once), and remove files to which this one still writes.
   */
  queueFolder?: string
  /** Called for each event that is refused for good: it will never be recorded. Default: a warning on the console. */
  onRefused?: (refusal: TallyRefusal) => void
  /**
   * Called for each failed try, after which events wait for the next one, and for each fault of the queue folder.
   * Without it, the console has one warning of a fault of the folder.
   */
  onProblem?: (problem: TallyProblem) => void
}

export interface TallyEvent {
  /** By whom. In browsers it defaults to a random name that `localStorage` keeps, which the script tag shares. */
  fingerprint?: string
  /** To what. Default: the settings' product. */
  product?: string
  /** Names the event among its fingerprint's; events of one id count once. Default: a new one. */
  id?: string
  /**
   * When it happened. Default: now. One that is more than 30 days old or 5 minutes ahead when it arrives counts when it
   * arrives, and its property `$timestamp` keeps this time.
   */
  timestamp?: Date | string | number
  /** What is to be kept with it: a JSON object of at most 32 KiB, written before `track` returns. */
  properties?: object | null
}

/** Why an event will never be recorded. */
export interface TallyRefusal {
  /** HTTP status; 200 if Tally ignores the sender as a bot. */
  status: number
  /** Tally's code for programs, such as `unknown_key`, `id_conflict` or `too_long`; `ignored` for a bot. */
  reason: string
  /** What exactly is wrong, in English. */
  detail: string
  /** The field at fault, if there is one. */
  field?: string
  id: string
  /** The event as JSON. Empty if it could not be written. */
  event: string
}

export interface TallyProblem {
  /** In words, for a log. */
  problem: string
  /** How many tries have failed in a row. */
  failed?: number
  /** How long until the next one. */
  delay?: number
}

/** What has become of the events since the client was made. */
export interface TallyFigures {
  /** Tally has acknowledged them: they are on its disk and counted, once. */
  readonly recorded: number
  /** They are refused for good, by Tally or by `track`. */
  readonly refused: number
  /** There was no room for them, or they were tracked or still waiting when the client ended. */
  readonly dropped: number
  /** They are to be sent, or on their way. */
  readonly waiting: number
}

/**
 * Sends events to Tally in the background. Each has an id, under which it is sent until Tally has acknowledged it, so
 * it counts once. A page or process needs one client; it has one request under way.
 *
 * In a browser whose visitor asks not to be tracked (Do Not Track, Global Privacy Control), it does nothing.
 */
export class Tally {
  /** Begins to send, first what an earlier page or process left. Throws a TypeError if a setting is wrong. */
  constructor(settings: TallySettings)

  /**
   * Takes an event to be sent, and returns at once. It never throws.
   * @returns False if it will not be sent: its properties are no JSON object, it is too large (`onRefused` is told),
   * there is no room, the client is closed, or the visitor asks not to be tracked.
   */
  track(action: string, event?: TallyEvent): boolean

  /**
   * Sends what waits without waiting for more. Resolves when none of the events tracked before waits any more: each is
   * recorded, refused or dropped. While Tally is away, that takes until it is back. It never rejects.
   */
  flush(): Promise<void>

  /**
   * Takes no more events, sends those that wait, and ends. What cannot be sent within `timeout` (default 5,000) is
   * dropped, or stays in the queue folder or in `localStorage`, for the next client. If all that wait are there, it
   * ends with the first try that fails. It never rejects.
   *
   * In Node, events that wait keep the process from ending: close the client at the end.
   */
  close(options?: { timeout?: number }): Promise<void>

  readonly figures: TallyFigures
}
