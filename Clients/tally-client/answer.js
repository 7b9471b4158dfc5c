// What Tally answers to a batch.

/** Whether a status asks for the same request again: overload, faults, and waits that were too long. */
export const isTemporary = status => status == 408 || status == 429 || status >= 500

/** Nothing is known of any item. */
export const failed = problem => ({ handled: 0, refused: [], problem })

/**
 * Reads an answer: of the first `handled` items each is recorded unless it is among the `refused`. `problem` says why
 * items are to be sent again, if any are; `fault`, why one that was not handled is at fault: smaller batches find it.
 */
export function readAnswer(status, text, sent) {
  const document = parse(text)
  const receipt = fits(document?.batch, sent) ? document.batch : fits(document, sent) ? document : undefined
  if (status == 200) {
    if (typeof document?.ignored == 'string')
      return all(sent, { status, reason: 'ignored', detail: `Tally ignores the sender: ${document.ignored}.` })
    return receipt?.handled === sent ? settled(receipt) : failed("the answer is not Tally's")
  }
  const reason = typeof document?.reason == 'string' ? document.reason : undefined
  const problem = reason ? `${status} ${reason}` : `${status}`
  const done = receipt ?? { handled: 0, refused: [] }
  if (isTemporary(status)) return settled(done, problem)
  const refusal = { status, reason: reason ?? 'refused', detail: document?.detail ?? problem, field: document?.field }
  // What has no reason is the answer of something between: it says nothing of events, except that they are too large.
  if (status == 413 || (status == 400 && reason)) return { ...settled(done, problem), fault: refusal }
  const isWrongAddress = status == 404 || status == 405
  return status >= 400 && status < 500 && reason && !isWrongAddress ? all(sent, refusal) : failed(problem)
}

function parse(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // not Tally's
  }
}

const fits = (receipt, sent) => Number.isInteger(receipt?.handled) && receipt.handled >= 0 && receipt.handled <= sent
  && Array.isArray(receipt.refused) && receipt.refused.every(({ index }) => index >= 0 && index < receipt.handled)

const all = (sent, refusal) =>
  ({ handled: sent, refused: Array.from({ length: sent }, (_, index) => ({ ...refusal, index })) })

function settled({ handled, refused }, problem) {
  const temporary = refused.find(({ status }) => isTemporary(status))
  return { handled, refused, problem: problem ?? (temporary && `${temporary.status} ${temporary.reason}`) }
}
