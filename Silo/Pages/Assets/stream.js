// Server-sent events that come back where they were. EventSource does not tell ids without a message, nor why a stream
// was refused.
const silenceMax = 25_000 // the server says something every 10 s
const pause = 1_000

async function* messages(body) {
  let text = ''
  for (const reader = body.pipeThrough(new TextDecoderStream()).getReader();;) {
    const { done, value } = await reader.read()
    if (done) return
    text += value
    const blocks = text.split('\n\n')
    text = blocks.pop()
    for (const block of blocks) {
      const message = { type: 'message', id: null, data: '' }
      for (const line of block.split('\n')) {
        const colon = line.indexOf(': ')
        const field = line.slice(0, colon)
        if (field === 'event') message.type = line.slice(colon + 2)
        else if (field) message[field] = line.slice(colon + 2)
      }
      yield message
    }
  }
}

// Follows an address while the tab is seen. tell(state) hears live or lost.
export const follow = (address, after, take, tell) => {
  let stop = null
  const run = async () => {
    const seen = stop = new AbortController()
    while (!seen.signal.aborted) {
      const attempt = new AbortController()
      let silence
      const listen = () => {
        clearTimeout(silence)
        silence = setTimeout(() => attempt.abort(), silenceMax)
      }
      const leave = () => attempt.abort()
      seen.signal.addEventListener('abort', leave)
      try {
        listen()
        const response = await fetch(address, { headers: { 'Last-Event-ID': after }, signal: attempt.signal })
        if (response.status === 401) return location.reload() // the session has ended
        if (response.ok) tell('live')
        if (response.ok) for await (const message of messages(response.body)) {
          listen()
          if (seen.signal.aborted) return
          after = message.id ?? after
          take(message)
        }
      } catch {
        // it is lost, and tried again
      } finally {
        clearTimeout(silence)
        seen.signal.removeEventListener('abort', leave)
      }
      if (seen.signal.aborted) return
      tell('lost')
      await new Promise(done => setTimeout(done, pause))
    }
  }
  const turn = () => {
    stop?.abort()
    stop = null
    if (!document.hidden) run()
  }
  document.addEventListener('visibilitychange', turn)
  turn()
}
