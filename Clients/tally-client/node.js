// The client in Node.
import { webcrypto } from 'node:crypto'
import { Client, tell } from './client.js'
import { FolderStore } from './folder-store.js'
import { readSettings } from './settings.js'

const inMemory = { add: () => undefined, remove: () => {}, left: () => [] }

export class Tally extends Client {
  constructor(given) {
    const settings = readSettings(given, { queueEventsMax: 10_000, batchEventsMax: 500, queueFolder: undefined })
    const { url, key, queueFolder } = settings
    let hasWarned = false
    const onProblem = settings.onProblem ?? (({ problem }) => {
      if (!hasWarned) console.warn(problem)
      hasWarned = true
    })
    super(settings, {
      url, uuid: () => webcrypto.randomUUID(), batchBytesMax: 900_000, keepaliveBytesMax: 0, trustsClock: true,
      // As text, an event whose time is out of range counts when it arrives: nobody can correct its clock afterwards.
      headers: {
        'content-type': 'text/plain;charset=UTF-8', 'user-agent': 'tally-client',
        ...key && { authorization: `Bearer ${key}` },
      },
      store: queueFolder ? new FolderStore(queueFolder, problem => tell(onProblem, { problem })) : inMemory,
    })
  }
}
