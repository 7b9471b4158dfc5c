// Tally's script tag. It is served without its comments and indentation (TallyScript.cs), so a comment has a line of
// its own and no text goes over several.
(() => {
  const script = document.currentScript;
  const {product = location.hostname, key} = script.dataset;
  const url = new URL('api/events', script.src);
  if (key) url.searchParams.set('writeKey', key);
  const prefix = 'tally.';
  const keptMax = 1000;
  // The characters of {"timestamp":"2026-01-01T00:00:00.000Z",
  const stamp = 40;
  const random = () => crypto.getRandomValues(new Uint32Array(4)).join('-');

  // Who asks not to be tracked is not: nothing is sent, and nothing stored.
  if (navigator.doNotTrack == 1 || navigator.globalPrivacyControl) return window.tally = () => {};

  // Where the browser denies storage, memory serves for as long as the page is open.
  let store, visitor;
  try {
    store = localStorage;
    visitor = store.tally ||= random();
  } catch {
    store = {};
    visitor = random();
  }

  // Each unsent event is stored under its own id, so that two tabs never write over each other's.
  const kept = () => Object.keys(store).filter(id => id.startsWith(prefix));

  let wait = 1000, timer, flushing;
  const send = (id, body) =>
    // A large body would not be sent at all with keepalive, and is to be refused by the server.
    fetch(url, {method: 'POST', body, keepalive: body.length < 6e4}).then(({status}) => {
      if (status == 429 || status > 499) throw 0;
      wait = 1000;
      // Too old, or of a clock that is wrong: then the server's counts.
      if (status == 422 && body[2] == 't') return send(id, '{' + body.slice(stamp));
      delete store[id];
    });

  // What failures and closed pages have left, one after another. Two tabs may send the same: its id counts once.
  const flush = async () => {
    timer = clearTimeout(timer);
    if (flushing) return;
    flushing = true;
    try {
      for (let id; id = kept()[0];) await send(id, store[id]);
    } catch {
      later();
    }
    flushing = false;
  };
  const later = () => timer ||= setTimeout(flush, wait = Math.min(2 * wait, 6e4));

  window.tally = (action, properties) => {
    const id = prefix + random();
    const body = JSON.stringify({timestamp: new Date(), action, product, fingerprint: store.tally || visitor, id, properties});
    try {
      if (kept().length < keptMax) store[id] = body;
    } catch {}
    // At once, so that it is on its way when the page closes; and without the stamp: the server's clock is the better one.
    send(id, '{' + body.slice(stamp)).then(() => timer && flush(), later);
  };

  let seen;
  const view = () => {
    const path = location.pathname;
    if (seen != (seen = path + location.search)) tally('view', {path});
  };
  for (const name of ['pushState', 'replaceState']) {
    const original = history[name];
    history[name] = (...state) => {
      original.apply(history, state);
      view();
    };
  }
  addEventListener('popstate', view);
  // Back from where the browser keeps pages that were left: a load like any other.
  addEventListener('pageshow', e => e.persisted && view(seen = 0));
  // Prepared by the browser for somebody who may never come to see it.
  document.addEventListener('prerenderingchange', view);
  addEventListener('online', flush);
  flush();
  document.prerendering || view();
})();
