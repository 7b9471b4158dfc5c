// While a verification runs, its progress is seen to move.
import { isInUse, refresh } from './page.js'

const every = 2_000

setInterval(() => {
  if (document.querySelector('[data-runs]') && !document.hidden && !isInUse()) refresh()
}, every)
