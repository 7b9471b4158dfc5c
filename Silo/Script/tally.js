// Tally's script tag. TallyScript.cs serves it without comments, line ends, needless spaces and semicolons, and with let for const. So
// a comment must have a line of its own, each statement its semicolon, and no string a space beside an operator.
(() => {
  // In a module, currentScript is null.
  const script = document.currentScript || document.querySelector('[src*="/tally.js"]');
  const {product = location.hostname, key, action = 'view', links} = script.dataset;
  const url = new URL('api/events', script.src);
  // Identifies the tag; without the key, which may change while events wait.
  const home = url + product;
  // The same tag twice, in a theme and in a tag manager, counts once.
  if (window[home] == (window[home] = 1)) return;
  if (key) url.searchParams.set('writeKey', key);
  const random = () => crypto.getRandomValues(new Uint32Array(4)).join('-');

  // A visitor who asks not to be tracked: nothing is sent, and nothing is stored.
  if (navigator.doNotTrack == 1 || navigator.globalPrivacyControl) return window.tally = () => {};

  // If the browser denies storage, events are kept in memory while the page is open.
  let store, visitor;
  try {
    store = localStorage;
    visitor = store.tally ||= random();
  } catch {
    store = {};
    visitor = random();
  }

  // Each unsent event is stored under its own id, so that two tabs never overwrite each other's, and under its tag, since a page
  // may have tags of several collectors.
  const kept = () => Object.keys(store).filter(name => name.endsWith(home));

  let wait = 1000, timer, flushing;
  const send = async (name, body, late) => {
    // A late event keeps its time, {"timestamp":"2026-01-01T00:00:00.000Z", the first 40 characters. Otherwise the server's clock
    // is better. With keepalive, the browser would not send a large body at all; without it, the server can refuse the body.
    const {status} = await fetch(url, {method: 'POST', body: late ? body : '{' + body.slice(40), keepalive: body.length < 6e4});
    if (status == 429 || status > 499) throw 0;
    wait = 1000;
    delete store[name];
  };

  // Sends, one by one, the events that failures and closed pages have left. If two tabs send the same one, it counts once.
  const flush = async () => {
    timer = clearTimeout(timer);
    if (flushing) return;
    flushing = 1;
    try {
      for (let name; name = kept()[0];) await send(name, store[name], 1);
    } catch {
      later();
    }
    flushing = 0;
  };
  const later = () => timer ||= setTimeout(flush, wait = Math.min(2 * wait, 6e4));

  const track = window.tally = (action, data) => {
    try {
      const id = 'tally.' + random(), name = id + home;
      const body = JSON.stringify({timestamp: new Date(), action, product, fingerprint: store.tally || visitor, id, properties: data});
      try {
        if (kept().length < 1000) store[name] = body;
      } catch {}
      // Sent at once, in case the page closes.
      send(name, body).then(() => timer && flush(), later);
    } catch {
      // The page must not fail. Data that cannot be JSON are left out.
      if (data) track(action);
    }
  };

  // The site that linked here counts with the first view, unless it is this one. A screen's class is its window's width, rounded
  // down to 512 pixels.
  let seen, site = document.referrer.split('/')[2];
  const view = () => {
    const {pathname: path, search, host} = location;
    if (seen == (seen = path + search)) return;
    const data = {path, title: document.title, language: navigator.language, screen: innerWidth & ~511};
    if (site != host) data.referrer = site;
    for (const [name, value] of new URL(location).searchParams) if (/^utm_/.test(name)) data[name] = value;
    track(action, data);
    site = host;
  };
  for (const name of ['pushState', 'replaceState']) {
    const old = history[name];
    history[name] = (...data) => {
      old.apply(history, data);
      view();
    };
  }
  addEventListener('popstate', view);
  // Restored from the back/forward cache: counts as a load.
  addEventListener('pageshow', e => e.persisted && view(seen = 0));
  // A prerendered page counts when it is shown.
  document.addEventListener('prerenderingchange', view);
  addEventListener('online', flush);
  // Links to other sites, and to files.
  if (links) addEventListener('click', ({target}) => {
    const {host, pathname, download} = target.closest('a') || {};
    if (!host) return;
    if (host != location.host) track('outbound', {link: host + pathname});
    else if (download || /\.(?!ht|ph)\w+$/.test(pathname)) track('download', {link: host + pathname});
  }, 1);
  flush();
  document.prerendering || view();
})();
