// While nothing has come yet: the first count turns the page.
import { refresh } from './page.js'

if (document.querySelector('[data-waits]')) {
  const stream = new EventSource('/api/live')
  stream.onmessage = async message => {
    if (!JSON.parse(message.data).counts?.length) return
    await refresh()
    if (!document.querySelector('[data-waits]')) stream.close()
  }
}
