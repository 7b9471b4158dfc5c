// Brings the numbers up to date: each 30 s while the tab is seen, and when it is seen again. The server makes the page
// anew; a document that XMLHttpRequest reads runs no script and needs no trusted markup.
const every = 30_000
let asked = Date.now()

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
  asked = Date.now()
  const fresh = await load(location.href)
  const main = fresh?.querySelector('main')
  if (!main) return tell('The server does not answer. Trying again.')
  const open = document.querySelector('details')?.open
  for (const name of ['main', 'footer'])
    document.querySelector(name).replaceWith(document.adoptNode(fresh.querySelector(name)))
  if (open) document.querySelector('details')?.setAttribute('open', '')
  follow()
}

const tell = text => { document.querySelector('#age').textContent = text }

// While nothing has come yet: the first count turns the page.
let stream
const follow = () => {
  const waits = document.querySelector('main').hasAttribute('data-waits')
  if (!waits) { stream?.close(); stream = undefined; return }
  stream ??= new EventSource('/api/live')
  stream.onmessage = message => { if (JSON.parse(message.data).counts?.length) refresh() }
}

setInterval(() => { if (!document.hidden && Date.now() - asked >= every) refresh() }, 1_000)
document.addEventListener('visibilitychange', () => { if (!document.hidden && Date.now() - asked >= every) refresh() })
follow()
