// Tally's script tag. It is served without its comments, indentation and needless spaces (TallyScript.cs), so a comment has a
// line of its own, each statement its semicolon, and no text a space or a line end beside a sign of the language.
(() => {
  // Of a module there is no current script.
  const script = document.currentScript || document.querySelector('[src*="/tally.js"]');
  const {product = location.hostname, key} = script.dataset;
  const url = new URL('api/events', script.src);
  // Names the tag: without the key, which may change while events wait.
  const home = url + product;
  // The same tag twice, of a theme and of a tag manager, counts once.
  if (window[home] == (window[home] = 1)) return;
  if (key) url.searchParams.set('writeKey', key);
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

  // Each unsent event is stored under its own id, so that two tabs never write over each other's, and with where it is to go:
  // a page may have tags of several collectors. The version before did not write that.
  const kept = () => Object.keys(store).filter(place => (place.replace(/^tally\.[\d-]+/, '') || home) == home);

  let wait = 1000, timer, flushing;
  const send = async (place, body, late) => {
    // What is late has its time before all else, {"timestamp":"2026-01-01T00:00:00.000Z", which is 40 characters. At once the
    // server's clock is the better one. A large body would not be sent at all with keepalive, and is to be refused.
    const {status} = await fetch(url, {method: 'POST', body: late ? body : '{' + body.slice(40), keepalive: body.length < 6e4});
    if (status == 429 || status > 499) throw 0;
    wait = 1000;
    delete store[place];
  };

  // What failures and closed pages have left, one after another. Two tabs may send the same: its id counts once.
  const flush = async () => {
    timer = clearTimeout(timer);
    if (flushing) return;
    flushing = 1;
    try {
      for (let place; place = kept()[0];) await send(place, store[place], 1);
    } catch {
      later();
    }
    flushing = 0;
  };
  const later = () => timer ||= setTimeout(flush, wait = Math.min(2 * wait, 6e4));

  const track = window.tally = (action, properties) => {
    try {
      const id = 'tally.' + random(), place = id + home;
      const body = JSON.stringify({timestamp: new Date(), action, product, fingerprint: store.tally || visitor, id, properties});
      try {
        if (kept().length < 1000) store[place] = body;
      } catch {}
      // At once, so that it is on its way when the page closes.
      send(place, body).then(() => timer && flush(), later);
    } catch {
      // The page goes on, and what cannot be JSON counts without its properties.
      if (properties) track(action);
    }
  };

  let seen;
  const view = () => {
    const path = location.pathname;
    if (seen != (seen = path + location.search)) track('view', {path});
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
