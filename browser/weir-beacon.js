// Sends events, timings and web vitals of a page to Weir's receiver "beacon": docs/beacon.md has what it does.
// `make beacon-script` makes the file that Weir serves; the minifier knows the language as of ES5, so write that.
(function (window, document) {
  "use strict";
  var options, // of start(); nothing is done before
    consent = null, // null until somebody has said
    session, // i its id, k whether it is in the sample, h the secret of its hashes
    queue = [], // events
    kept = [], // bodies, where storage takes none
    vitals = {},
    hasVitals,
    timer,
    failures = 0, // in a row
    isBusy,
    // The minifier gives short names to ours, and not to the browser's.
    local = "localStorage",
    tab = "sessionStorage",
    multiply = Math.imul,
    agent = navigator,
    place = location,
    trace = hex(16),
    view = hex(8),
    now = Date.now,
    begin = now(),
    fetch; // the page's, whoever has wrapped it before start()

  function random(numbers) { return Array.from(crypto.getRandomValues(numbers)) }
  function hex(bytes) {
    return random(new Uint8Array(bytes)).map(function (byte) { return (byte + 256).toString(16).slice(1) }).join("")
  }

  // Storage may be forbidden, or full.
  function load(area, key) {
    try { return JSON.parse(window[area].getItem("weir." + key)) } catch (e) { }
  }
  function save(area, key, value) {
    key = "weir." + key;
    try {
      value ? window[area].setItem(key, JSON.stringify(value)) : window[area].removeItem(key)
    } catch (e) { return 1 }
  }
  function waiting() { return kept.concat(load(local, "q") || []) }
  function keep(bodies) {
    bodies = bodies.slice(-options.maxStored);
    // Full storage takes nothing, but keeps what it has.
    kept = save(local, "q", bodies[0] && bodies) ? (save(local, "q"), bodies) : []
  }

  function open() {
    session = session || load(tab, "s") ||
      { i: hex(16), k: Math.random() < options.sample, h: random(new Uint32Array(2)) };
    if (consent) save(tab, "s", session)
  }

  // 53 bits under the session's secret, which never leaves the page: equal texts are equal. It hides texts from readers,
  // not from somebody who knows one of them and sets out to find the secret.
  function hash(text) {
    var a = session.h[0], b = session.h[1], i = 0, c;
    for (; i < text.length; i++) {
      c = text.charCodeAt(i);
      a = multiply(a ^ c, 2654435761);
      b = multiply(b ^ c, 1597334677)
    }
    a = multiply(a ^ a >>> 16, 2246822507) ^ multiply(b ^ b >>> 13, 3266489909);
    b = multiply(b ^ b >>> 16, 2246822507) ^ multiply(a ^ a >>> 13, 3266489909);
    return "h" + (4294967296 * (2097151 & b) + (a >>> 0)).toString(16)
  }

  function forget() {
    queue = [];
    vitals = {};
    hasVitals = session = 0;
    keep([]);
    save(tab, "s")
  }

  function event(name, attributes, more) {
    if (!options || consent === false || !session.k || queue.length >= options.maxQueue) return;
    var made = { name: name, id: hex(8), trace: trace, parent: view, time: now(), attributes: {} }, key, value;
    for (key in attributes) {
      value = attributes[key];
      made.attributes[key] = typeof value != "string" ? value :
        options.plain.indexOf(key) < 0 ? hash(value) : value.slice(0, 256)
    }
    queue.push(Object.assign(made, more));
    if (consent) timer = timer || setTimeout(flush, options.interval)
  }

  function body() {
    return JSON.stringify({
      session: session.i, rate: options.sample, resource: options.resource, events: queue.splice(0, 20)
    })
  }
  function url() { return options.url + "?sent=" + now() }
  // With keepalive a browser takes 64 KiB at most, and a character has up to three bytes.
  function post(body) {
    return fetch.call(window, url(), { method: "POST", body: body, keepalive: body.length < 2e4 })
  }

  // One body after the other, each kept until the server has it.
  function flush() {
    clearTimeout(timer);
    timer = 0;
    if (!consent || isBusy) return;
    var bodies = waiting();
    while (queue[0]) bodies.push(body());
    keep(bodies);
    bodies = waiting();
    if (!bodies[0]) return;
    isBusy = 1;
    post(bodies[0]).then(
      function (answer) { return answer.status == 429 || answer.status > 499 }, function () { return 1 }
    ).then(function (failed) {
      isBusy = 0;
      if (!consent) return;
      failures = failed ? Math.min(failures + 1, 6) : 0;
      if (failed) {
        // An event that came meanwhile has set the timer as if all were well.
        clearTimeout(timer);
        timer = 0
      } else keep(waiting().filter(function (other) { return other != bodies[0] }));
      if (failed || waiting()[0] || queue[0])
        timer = timer || setTimeout(flush, failed ? options.interval << failures : 0)
    })
  }

  // The page may be gone the next moment, so the browser is given what there is.
  function leave() {
    if (!consent) return;
    if (hasVitals) event("web_vitals", vitals);
    hasVitals = 0;
    while (queue[0]) {
      var last = body();
      if (agent.onLine && agent.sendBeacon && agent.sendBeacon(url(), last)) continue;
      keep(waiting().concat(last));
      flush()
    }
  }

  function see(type, read) {
    try {
      new PerformanceObserver(function (list) { list.getEntries().forEach(read) })
        .observe({ type: type, buffered: true })
    } catch (e) { }
  }
  function vital(name, value, former) {
    if (consent === false) return;
    name = "web_vital." + name;
    vitals[name] = Math.round(1e3 * (former ? former(vitals[name] || 0, value) : value)) / 1e3;
    hasVitals = 1
  }

  function traced(input, init) {
    var target, request, id = hex(8), time = now();
    // What is no request is for the browser to refuse.
    try {
      target = new URL(input.url || input, place);
      if (consent && session.k &&
        (target.origin == place.origin || options.propagate.indexOf(target.origin) >= 0))
        request = new Request(input, init)
    } catch (e) { }
    if (!request) return fetch.apply(window, arguments);
    request.headers.set("traceparent", "00-" + trace + "-" + id + "-01");
    function done(status) {
      event("fetch", {
        "http.request.method": request.method,
        "url.path": target.pathname.replace(/[^\/]*\d[^\/]*/g, "*"),
        "http.response.status_code": status
      }, {
        id: id, kind: "client", time: time, duration: now() - time,
        error: status > 499 ? "" + status : status ? void 0 : "network"
      })
    }
    return fetch.call(window, request).then(
      function (answer) { done(answer.status); return answer }, function (error) { done(0); throw error })
  }

  window.weirBeacon = {
    start: function (given) {
      if (options) return;
      options = Object.assign(
        { sample: 1, interval: 5e3, maxQueue: 200, maxStored: 20, resource: {}, propagate: [], plain: [] }, given);
      options.plain = options.plain.concat("url.path", "http.request.method");
      if (options.consent != null) consent = !!options.consent;
      if (consent === false) forget();
      open();
      see("largest-contentful-paint", function (entry) { vital("lcp_ms", entry.startTime) });
      see("paint", function (entry) { if (/ful/.test(entry.name)) vital("fcp_ms", entry.startTime) });
      see("layout-shift", function (entry) {
        if (!entry.hadRecentInput) vital("cls", entry.value, function (a, b) { return a + b })
      });
      see("event", function (entry) { if (entry.interactionId) vital("inp_ms", entry.duration, Math.max) });
      see("navigation", function (entry) { vital("ttfb_ms", entry.responseStart) });
      fetch = window.fetch;
      window.fetch = traced;
      document.addEventListener("visibilitychange", function () { document.hidden ? leave() : flush() });
      window.addEventListener("pagehide", leave);
      window.addEventListener("online", flush);
      event("page.view", { "url.path": place.pathname }, { id: view, parent: void 0, time: begin });
      flush()
    },
    event: event,
    mark: function (name) { performance.mark(name) },
    measure: function (name, attributes) {
      try {
        var length = performance.measure(name, name).duration;
        event(name, attributes, { time: now() - length, duration: length })
      } catch (e) { }
    },
    // false forgets everything, here and in storage.
    consent: function (given) {
      consent = !!given;
      if (!options) return;
      if (!consent) forget();
      open();
      flush()
    },
    flush: flush
  }
})(window, document);
