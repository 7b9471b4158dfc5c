// The settings that browsers and Node have in common.
const common = {
  product: undefined, key: undefined, batchDelay: 1_000, whenFull: 'newest', retryDelay: 1_000, retryDelayMax: 60_000,
  requestTimeout: 30_000, onProblem: undefined,
  onRefused: ({ status, reason, detail, id }) =>
    console.warn(`Tally refuses the event ${id}: ${status} ${reason} ${detail}`),
}

const times = ['batchDelay', 'retryDelay', 'retryDelayMax', 'requestTimeout']

/** @throws {TypeError} A setting is missing, unknown or out of range. */
export function readSettings(given, defaults) {
  const settings = { ...common, ...defaults }
  for (const [name, value] of Object.entries(given ?? {})) {
    if (name != 'address' && !(name in settings)) throw new TypeError(`There is no setting ${name}.`)
    if (value != null) settings[name] = value
  }
  for (const name of ['queueEventsMax', 'batchEventsMax'])
    if (!(Number.isInteger(settings[name]) && settings[name] >= 1)) throw new TypeError(`${name} must be 1 or more.`)
  if (settings.batchEventsMax > 5_000) throw new TypeError('batchEventsMax must be 5,000 at most.')
  for (const name of times)
    if (!(Number.isFinite(settings[name]) && settings[name] >= 0 && settings[name] <= 86_400_000))
      throw new TypeError(`${name} must be milliseconds, of a day at most.`)
  if (settings.requestTimeout == 0) throw new TypeError('requestTimeout must be above 0.')
  for (const name of ['onRefused', 'onProblem'])
    if (settings[name] && typeof settings[name] != 'function') throw new TypeError(`${name} must be a function.`)
  for (const name of ['product', 'key', 'queueFolder'])
    if (!['undefined', 'string'].includes(typeof settings[name])) throw new TypeError(`${name} must be a text.`)
  settings.key = settings.key?.trim() // a file's may end with a line end
  if (!/^[!-~]*$/.test(settings.key ?? '')) throw new TypeError('key must be ASCII without spaces.')
  if (!['newest', 'oldest'].includes(settings.whenFull)) throw new TypeError('whenFull must be newest or oldest.')
  settings.url = urlOf(settings.address)
  return settings
}

function urlOf(address) {
  const url = URL.canParse?.(address) ?? /^https?:/.test(address) ? new URL(address) : undefined
  if (!/^https?:$/.test(url?.protocol)) throw new TypeError("address must be Tally's, such as https://tally.example.")
  return new URL('api/events/batch', `${url.origin}${url.pathname.replace(/\/?$/, '/')}`)
}
