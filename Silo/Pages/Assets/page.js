// Brings the numbers up to date: each 30 s while the tab is seen, and when it is seen again. The server makes the page
// anew; a document that XMLHttpRequest reads runs no script and needs no trusted markup.
const every = 30_000
let asked = Date.now()
let isAsking = false

const load = address => new Promise(done => {
  const request = new XMLHttpRequest()
  request.open('GET', address)
  request.setRequestHeader('Accept', 'text/html')
  request.responseType = 'document'
  request.onload = () => done(request.response)
  request.onerror = () => done(null)
  request.send()
})

const refresh = async () => {
  if (isAsking) return
  isAsking = true
  asked = Date.now()
  const fresh = await load(location.href)
  isAsking = false
  if (!fresh?.querySelector('main')) return tell('The server does not answer. Trying again.')
  if (!fresh.querySelector('footer')) return location.reload() // the session has ended
  const open = document.querySelector('details')?.open
  for (const name of ['main', 'footer'])
    document.querySelector(name).replaceWith(document.adoptNode(fresh.querySelector(name)))
  if (open) document.querySelector('details')?.setAttribute('open', '')
  follow()
}

const tell = text => { document.querySelector('#age').textContent = text }

// Nobody's focus or selection is taken away.
const isInUse = () => document.querySelector('main').contains(document.activeElement)
  || !document.getSelection().isCollapsed

const refreshIfDue = () => {
  if (!document.hidden && !isInUse() && Date.now() - asked >= every) refresh()
}

// While nothing has come yet: the first count turns the page.
let stream
const follow = () => {
  if (!document.querySelector('main').hasAttribute('data-waits')) return stream?.close()
  stream ??= new EventSource('/api/live')
  stream.onmessage = message => { if (JSON.parse(message.data).counts?.length) refresh() }
}

setInterval(refreshIfDue, 1_000)
document.addEventListener('visibilitychange', refreshIfDue)
follow()
