// Events on disk, in files to which lines are appended. A file goes when all of its events are settled, so after a
// crash some settled ones may be sent again: their ids make them count once.
import {
  closeSync, ftruncateSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync,
} from 'node:fs'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'

const extension = '.ndjson'
const segmentBytesMax = 1 << 20

export class FolderStore {
  #folder
  #report
  #left = []
  #file
  #current

  /** @param report Is told, in words, what the disk does not do. No fault of the disk is thrown. */
  constructor(folder, report) {
    this.#folder = folder
    this.#report = report
    this.#try('used', () => {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      this.#left = readdirSync(folder).filter(name => name.endsWith(extension)).sort()
    })
  }

  /** What earlier processes left, in their order. A line that was not written to its end is skipped. */
  * left() {
    for (const name of this.#left) {
      const path = join(this.#folder, name)
      const lines = this.#try('read', () => readFileSync(path, 'utf8').split('\n'))
      if (!lines) continue
      const segment = { path, waiting: 1 } // a file that is being read does not go
      for (const text of lines.slice(0, -1)) {
        const id = idOf(text)
        if (id === undefined) continue
        segment.waiting++
        yield { id, text, kept: segment }
      }
      this.remove(segment)
    }
  }

  /** @returns The file that has the event, or undefined. It survives a crash of the process, not of the machine. */
  add(_, text) {
    const line = `${text}\n`
    return this.#try('written', () => {
      if (!this.#current || this.#current.bytes + line.length > segmentBytesMax) this.#begin()
      writeFileSync(this.#file, line)
      this.#current.bytes += line.length
      this.#current.waiting++
      return this.#current
    }, () => this.#leave()) // it may end in the middle of a line, so nothing more goes into it
  }

  remove(segment) {
    if (!segment || --segment.waiting > 0) return
    this.#try('removed', () => {
      if (segment != this.#current) return rmSync(segment.path, { force: true })
      ftruncateSync(this.#file, 0)
      segment.bytes = 0
    })
  }

  close() {
    this.#leave()
  }

  #begin() {
    this.#leave()
    const path = join(this.#folder, `${`${Date.now()}`.padStart(15, '0')}-${randomUUID()}${extension}`)
    this.#file = openSync(path, 'ax', 0o600)
    this.#current = { path, bytes: 0, waiting: 0 }
  }

  #leave() {
    const ended = this.#current
    this.#current = undefined
    if (!ended) return
    closeSync(this.#file)
    if (ended.waiting > 0) return
    ended.waiting++
    this.remove(ended)
  }

  #try(what, action, otherwise) {
    try {
      return action()
    } catch (error) {
      if (!error.syscall) throw error // not of the disk
      otherwise?.()
      this.#report(`The queue folder cannot be ${what}; events may be in memory only, or sent again: ${error.message}`)
      return undefined
    }
  }
}

function idOf(text) {
  try {
    const { id } = JSON.parse(text)
    return typeof id == 'string' ? id : undefined
  } catch {
    return undefined
  }
}
