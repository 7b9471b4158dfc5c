// The overview: the first count turns the waiting page, what is counted later comes in, and the chart is read.
import { load, localize, refresh } from './page.js'

if (document.querySelector('[data-waits]')) {
  const stream = new EventSource('/api/live')
  stream.onmessage = async message => {
    if (!JSON.parse(message.data).counts?.length) return
    await refresh()
    if (!document.querySelector('[data-waits]')) stream.close()
  }
}

// One after another, so that others find a turn.
const fill = async () => {
  for (const part of document.querySelectorAll('main [data-load]')) {
    const fresh = (await load(part.dataset.load))?.querySelector(`[data-part="${CSS.escape(part.dataset.part)}"]`)
    if (!part.isConnected) return // the page was renewed meanwhile, and asks itself
    part.removeAttribute('data-load')
    if (!fresh || part.contains(document.activeElement)) continue
    part.replaceWith(document.adoptNode(fresh))
    localize(fresh)
  }
}

// The chart's points, by arrows or under the pointer: a line below it says what the table says of the point.
let chosen = -1
const columns = () => [...document.querySelectorAll('.column')]
const wordsOf = row => {
  const [name, ...cells] = document.querySelectorAll('.chart tbody tr')[row].cells
  const heads = document.querySelector('.chart thead tr').cells
  const plain = cell => cell.textContent.trim().replace(/\s+/g, ' ')
  return [plain(name), ...cells.map((cell, i) => `${plain(heads[i + 1])} ${plain(cell)}`)].join(' \u00b7 ')
}
const show = at => {
  const all = columns()
  const drawing = document.querySelector('#drawing')
  chosen = Math.max(0, Math.min(at, all.length - 1))
  const words = wordsOf(all.length - 1 - chosen)
  document.querySelector('#point').textContent = words
  drawing.setAttribute('aria-valuenow', chosen + 1)
  drawing.setAttribute('aria-valuetext', words)
  all.forEach((column, i) => column.classList.toggle('chosen', i === chosen))
}

// What is chosen is shown by itself: a range of dates, which the browser's way back leaves.
const zoom = (one, other) => {
  const all = columns()
  const [from, to] = [Math.min(one, other), Math.max(one, other)]
  const [first, last] = [all[from].dataset.first, all[to].dataset.last]
  if (first === all[0].dataset.first && last === all.at(-1).dataset.last) return
  const address = new URL(location.href)
  for (const name of ['range', 'interval']) address.searchParams.delete(name)
  address.searchParams.set('first', first)
  address.searchParams.set('last', last)
  location.assign(address)
}
let dragged = -1 // from where
const mark = to => columns().forEach((column, i) => column.classList.toggle('within',
  dragged >= 0 && to !== dragged && i >= Math.min(dragged, to) && i <= Math.max(dragged, to)))
const columnAt = pointer => columns().indexOf(
  document.elementFromPoint(pointer.clientX, pointer.clientY)?.closest('.column'))
const drop = () => {
  dragged = -1
  mark(-1)
}
const steps = {
  ArrowLeft: at => at - 1, ArrowRight: at => at + 1, Home: () => 0, End: () => Infinity,
}

const watch = () => {
  const drawing = document.querySelector('#drawing')
  if (!drawing) return
  const all = columns()
  drawing.tabIndex = 0
  drawing.setAttribute('role', 'slider')
  drawing.setAttribute('aria-label', drawing.dataset.label)
  drawing.title = drawing.dataset.hint
  drawing.setAttribute('aria-valuemin', 1)
  drawing.setAttribute('aria-valuemax', all.length)
  const running = all.findIndex(column => column.matches('.running'))
  show(chosen >= 0 ? chosen : running >= 0 ? running : all.length - 1)
  drawing.addEventListener('keydown', pressed => {
    if (pressed.ctrlKey || pressed.altKey || pressed.metaKey) return
    if (pressed.key === 'Enter') zoom(chosen, chosen)
    if (!steps[pressed.key]) return
    pressed.preventDefault()
    show(steps[pressed.key](chosen))
  })
  drawing.addEventListener('pointerdown', pressed => {
    if (pressed.button === 0) dragged = columnAt(pressed)
  })
  drawing.addEventListener('pointermove', moved => {
    const at = columnAt(moved)
    if (at < 0 || at === chosen) return
    show(at)
    mark(at)
  })
}
document.addEventListener('pointerup', released => {
  const [from, to] = [dragged, columnAt(released)]
  drop()
  if (from >= 0 && to >= 0 && from !== to) zoom(from, to)
})
document.addEventListener('pointercancel', drop)

const begin = () => {
  watch()
  fill()
}
document.addEventListener('renewed', begin)
begin()
