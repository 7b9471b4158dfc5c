// The timeline goes on by itself at its end, and new events come on top. The server makes both: these are its pages.
import { load, localize } from './page.js'

const pause = 500 // between loads at the least, whatever comes
const timeline = () => document.querySelector('#timeline')
const list = part => part.querySelector('.timeline')
const sequences = part => [...part.querySelectorAll('[data-sequence]')].map(event => event.dataset.sequence)

// Puts an older page behind a list. A session may begin on it and end on the list.
const append = (onto, page) => {
  for (const item of [...page.children]) {
    const begun = item.dataset.session
      && [...onto.children].find(session => session.dataset.session === item.dataset.session)
    if (begun) begun.querySelector('ol').append(...item.querySelector('ol').children)
    else onto.append(document.adoptNode(item))
  }
}

// The end of the timeline is seen: what is older comes.
let isLoading = false
const loadOlder = async link => {
  if (isLoading) return
  isLoading = true
  const page = await load(link.href)
  isLoading = false
  if (!page?.querySelector('.timeline') || !link.isConnected) return
  localize(list(page))
  append(list(document), list(page))
  const next = page.querySelector('#timeline .older a')
  if (!next) return link.closest('.older').remove()
  link.href = next.href
  watchEnd() // it may still be seen
}
const end = new IntersectionObserver(seen => {
  for (const { isIntersecting, target } of seen) if (isIntersecting) loadOlder(target)
}, { rootMargin: '300px' })
const watchEnd = () => {
  end.disconnect()
  const link = timeline().querySelector('.older a')
  if (link) end.observe(link)
}

// Takes what a fresh page has, and keeps what the reader has opened, focused, or loaded behind it.
const take = fresh => {
  const about = document.querySelector('#about')
  const open = [...about.querySelectorAll('details')].map(details => details.open)
  if (!about.contains(document.activeElement)) {
    about.replaceWith(document.adoptNode(fresh.querySelector('#about')))
    document.querySelectorAll('#about details').forEach((details, i) => { details.open = !!open[i] })
  }
  const [old, page] = [list(document), list(fresh)]
  const inUse = document.activeElement?.closest('[data-sequence]')?.dataset.sequence
  const isOpen = new Set(sequences(old).filter(one => old.querySelector(`[data-sequence="${one}"] details[open]`)))
  const known = new Set(sequences(page))
  const goesOn = sequences(old).some(one => known.has(one))
  if (goesOn) {
    for (const one of known) old.querySelector(`[data-sequence="${one}"]`)?.remove()
    for (const session of old.querySelectorAll('.session'))
      if (!session.querySelector('[data-sequence]')) {
        if (session.nextElementSibling?.matches('.pause')) session.nextElementSibling.remove()
        session.remove()
      }
    const hasMore = old.querySelector('[data-sequence]')
    append(page, old)
    if (!hasMore) replace('.older', fresh)
  } else replace('.older', fresh)
  old.replaceWith(document.adoptNode(page))
  for (const one of isOpen) page.querySelector(`[data-sequence="${one}"] details`)?.setAttribute('open', '')
  if (inUse) page.querySelector(`[data-sequence="${inUse}"] a`)?.focus({ preventScroll: true })
  document.querySelector('.as-of time').replaceWith(document.adoptNode(fresh.querySelector('.as-of time')))
  timeline().dataset.after = fresh.querySelector('#timeline').dataset.after
  localize(document)
  watchEnd()
}
const replace = (selector, fresh) => {
  timeline().querySelector(selector)?.remove()
  const its = fresh.querySelector(`#timeline ${selector}`)
  if (its) timeline().append(document.adoptNode(its))
}

let isDue = false
let isUpdating = false
const update = async () => {
  isDue = true
  if (isUpdating) return
  isUpdating = true
  while (isDue) {
    isDue = false
    const begun = Date.now()
    const fresh = await load(location.href)
    const took = Date.now() - begun
    if (fresh?.querySelector('#timeline')) take(fresh)
    else if (fresh) location.reload() // it was erased, or the session has ended
    await new Promise(done => setTimeout(done, Math.max(pause, 4 * took)))
  }
  isUpdating = false
}

// Each event that comes after those of the page says that there is something to load.
let stream = null
const say = text => { document.querySelector('#live').textContent = text ?? '' }
const follow = () => {
  stream?.close()
  stream = null
  if (document.hidden) return
  const { live, after } = timeline().dataset
  const words = document.querySelector('#live').dataset
  stream = new EventSource(`${live}?after=${after}`)
  stream.onopen = () => say(words.followed)
  stream.onmessage = update
  stream.addEventListener('reset', update)
  stream.onerror = ({ target }) => {
    say(words.lost)
    if (target.readyState === EventSource.CLOSED && target === stream) setTimeout(follow, 10 * pause)
  }
}

watchEnd()
if (timeline().dataset.live) {
  document.addEventListener('visibilitychange', follow)
  follow()
}
