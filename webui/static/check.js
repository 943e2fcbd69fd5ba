/* Checking with the keyboard alone. Each decision is sent as it is made; what could not be sent is
   kept in this window and sent again. Without this script each field is a form of its own. */
(function () {
  "use strict";
  var RETRY_MS = 3000;
  var AHEAD = 10; // fields left when the next ones are fetched
  var PERSON = document.body.getAttribute("data-person");
  var KEPT = "digitize-decisions-" + PERSON; // nobody sends what another has decided
  var KEYS = { 113: "F2", 114: "F3", 115: "F4", 117: "F6", 119: "F8", 120: "F9", 121: "F10" };
  var work = document.getElementById("work");
  var tiles = document.getElementById("tiles");
  var current = null;
  var began = 0;
  var clicked = null; // the button that a form is sent by
  var waiting = []; // decisions on their way: {data, address, item, said}
  var sending = false;
  var undoing = false;
  var decided = {}; // by address: what the server may not have heard of when it gives the next ones
  var next = null; // the next fields, fetched ahead
  var asked = false;

  function all(selector, inside) {
    return Array.prototype.slice.call((inside || document).querySelectorAll(selector));
  }
  function open_(item) {
    return !/ check-done/.test(item.className);
  }
  function items() {
    return all(".check", work);
  }
  function left() {
    return items().filter(open_);
  }
  function box(item) {
    return item.querySelector(".check-value");
  }

  /* Which field is looked at */

  function choose(item) {
    if (current) {
      current.className = current.className.replace(" check-on", "");
    }
    current = item;
    began = Date.now();
    if (!item) {
      return;
    }
    item.className += " check-on";
    var value = box(item);
    if (document.activeElement !== value) {
      value.focus();
    }
    if (value.select) {
      value.select();
    }
    show(item);
    if (left().length <= AHEAD) {
      fetchAhead();
    }
  }
  function show(item) {
    var sheet = document.getElementById("sheet");
    var frame = (item.getAttribute("data-frame") || "").split(" ");
    if (!sheet) {
      return;
    }
    var image = sheet.querySelector("img");
    if (image.getAttribute("src") !== item.getAttribute("data-sheet")) {
      image.setAttribute("src", item.getAttribute("data-sheet"));
    }
    var rect = sheet.querySelector("rect");
    if (rect && frame.length === 4) {
      ["x", "y", "width", "height"].forEach(function (name, place) {
        rect.setAttribute(name, frame[place]);
      });
    }
  }
  function step(by) {
    var some = items();
    var place = some.indexOf(current) + by;
    if (some[place]) {
      choose(some[place]);
    }
  }

  /* Sending */

  function encoded(form, extra) {
    var parts = [];
    all("input, select, textarea", form).forEach(function (field) {
      if (field.name && !extra.hasOwnProperty(field.name)) {
        parts.push([field.name, field.value]);
      }
    });
    Object.keys(extra).forEach(function (name) {
      parts.push([name, extra[name]]);
    });
    return parts.map(function (part) {
      return encodeURIComponent(part[0]) + "=" + encodeURIComponent(part[1]);
    }).join("&");
  }
  function keep() {
    try {
      window.sessionStorage.setItem(KEPT, JSON.stringify(waiting.map(function (one) {
        var data = one.data.replace(/csrf_token=[^&]*&?/, "");
        return { data: data, address: one.address, said: one.said };
      })));
    } catch (full) { /* a private window: then they are kept as long as the page is open */ }
  }
  function kept() {
    try {
      return JSON.parse(window.sessionStorage.getItem(KEPT) || "[]");
    } catch (broken) {
      return [];
    }
  }
  function decide(item, extra) {
    var form = item.querySelector("form");
    extra.seconds = ((Date.now() - began) / 1000).toFixed(2);
    var value = extra.hasOwnProperty("offer") ? extra.offer : box(item).value;
    waiting.push({
      data: encoded(form, extra), address: form.getAttribute("action"), item: item,
      said: item.querySelector("label").textContent + ": " + value
    });
    box(item).readOnly = true; // F10 takes it back
    decided[form.getAttribute("action")] = true;
    keep();
    item.className += " check-done";
    told(item, "");
    var after = items().indexOf(item);
    var rest = left();
    choose(rest.filter(function (other) {
      return items().indexOf(other) > after;
    })[0] || rest[0] || null);
    send();
  }
  function send() {
    var undo = document.querySelector("[data-key='F10']");
    if (undoing && undo && !waiting.length) {
      return undo.form.submit();
    }
    if (sending || !waiting.length) {
      return finish();
    }
    sending = true;
    var one = waiting[0];
    var request = new XMLHttpRequest();
    request.open("POST", one.address);
    request.setRequestHeader("Content-Type", "application/x-www-form-urlencoded");
    request.setRequestHeader("Accept", "application/json");
    request.timeout = 20000;
    request.onload = function () {
      sending = false;
      if (request.status >= 500) {
        trouble("The server has trouble.");
        return window.setTimeout(send, RETRY_MS);
      }
      if (request.status === 401 || (request.status === 400 && !one.renewed)) {
        return renew(one);
      }
      waiting.shift();
      keep();
      trouble("");
      if (request.status !== 200) {
        refused(one, request);
      }
      send();
    };
    request.onerror = request.ontimeout = function () {
      sending = false;
      trouble("There is no connection to the server.");
      window.setTimeout(send, RETRY_MS);
    };
    request.send(one.data);
  }
  /* A session that began anew has another token: it is taken from a fresh page of the same person. */
  function renew(one) {
    var request = new XMLHttpRequest();
    request.open("GET", "/check");
    request.onload = function () {
      var page = new DOMParser().parseFromString(request.responseText, "text/html");
      var token = page.querySelector("[name=csrf_token]");
      if (request.status === 200 && token && page.body.getAttribute("data-person") === PERSON) {
        one.renewed = true;
        all("[name=csrf_token]").forEach(function (field) {
          field.value = token.value;
        });
        one.data = one.data.replace(/csrf_token=[^&]*/, "csrf_token=" + encodeURIComponent(token.value));
        return send();
      }
      trouble("You are signed out. Sign in again in another window, under your own name.");
      window.setTimeout(send, RETRY_MS);
    };
    request.onerror = function () {
      window.setTimeout(send, RETRY_MS);
    };
    request.send();
  }
  function refused(one, request) {
    var said = "This was not saved.";
    try {
      said = JSON.parse(request.responseText).said || said;
    } catch (page) { /* an error page: the sentence above will do */ }
    if (!one.item || !document.body.contains(one.item)) {
      return lost(said + " You had said " + (one.said || "something") + ".");
    }
    told(one.item, said);
    one.item.className += " check-wrong";
    if (request.status !== 409) { // else someone else has it: there is nothing more to do but read it
      one.item.className = one.item.className.replace(" check-done", "");
      box(one.item).readOnly = false;
    }
    if (request.status !== 409 || !left().length) {
      choose(one.item);
    }
  }
  function lost(said) {
    var place = document.createElement("div");
    place.className = "notice notice-bad";
    place.setAttribute("role", "alert");
    place.textContent = said;
    document.getElementById("main").insertBefore(place, document.getElementById("main").firstChild);
  }
  function unread() {
    return all(".check-wrong.check-done", work).length;
  }
  function told(item, said) {
    var place = item.querySelector(".check-told");
    place.hidden = !said;
    place.textContent = said;
  }
  function trouble(said) {
    var place = document.getElementById("trouble");
    if (!place) {
      place = document.createElement("div");
      place.id = "trouble";
      place.className = "notice notice-bad work-trouble";
      place.setAttribute("role", "alert");
      document.getElementById("main").insertBefore(place, document.getElementById("main").firstChild);
    }
    place.hidden = !said;
    if (said) {
      var count = waiting.length === 1 ? "1 decision waits" : waiting.length + " decisions wait";
      place.textContent = said + " " + (waiting.length ? count + " in this window, and will be sent." : "");
    }
  }

  /* The next fields */

  function fetchAhead() {
    var address = work.getAttribute("data-ahead");
    if (asked || !address) {
      return;
    }
    asked = true;
    var request = new XMLHttpRequest();
    request.open("GET", address);
    request.onload = function () {
      var page = new DOMParser().parseFromString(request.responseText, "text/html");
      next = request.status === 200 ? page.getElementById("work") : null;
      if (next) {
        all(".check", next).forEach(function (item) {
          if (decided[item.querySelector("form").getAttribute("action")]) {
            item.parentNode.removeChild(item);
          }
        });
        all("img", next).slice(0, AHEAD + 2).forEach(function (image) {
          new Image().src = image.getAttribute("src");
        });
      }
      finish();
    };
    request.onerror = function () {
      asked = false;
    };
    request.send();
  }
  function finish() {
    if (!work || !items().length || left().length || unread()) {
      return;
    }
    if (next && next.querySelector(".check")) {
      var made = document.importNode(next, true);
      all("[autofocus]", made).forEach(function (field) {
        field.autofocus = false;
      });
      work.parentNode.replaceChild(made, work);
      work = made;
      next = null;
      asked = false;
      window.scrollTo(0, 0);
      choose(left()[0]);
    } else if (!waiting.length) {
      window.location.assign(work.getAttribute("data-here"));
    }
  }

  /* Keys */

  function press(item, key) {
    var button = item.querySelector("[data-key='" + key + "']");
    if (button && button.tagName === "BUTTON") {
      var extra = {};
      extra[button.name] = button.value;
      decide(item, extra);
      return true;
    }
    return false;
  }
  function cannot(item) {
    var details = item.querySelector(".cannot");
    details.open = true;
    details.setAttribute("open", "");
    details.querySelector("[name=note]").focus();
  }
  function page() {
    var over = document.getElementById("page-over");
    if (over) {
      over.parentNode.removeChild(over);
      box(current).focus();
      return;
    }
    var frame = (current.getAttribute("data-frame") || "").split(" ");
    over = document.createElement("div");
    over.id = "page-over";
    over.className = "page-over";
    over.tabIndex = -1;
    var sheet = document.createElement("div");
    sheet.className = "sheet";
    var image = document.createElement("img");
    image.alt = "The whole page";
    image.src = current.getAttribute("data-sheet");
    sheet.appendChild(image);
    if (frame.length === 4) {
      var space = "http://www.w3.org/2000/svg";
      var svg = document.createElementNS(space, "svg");
      svg.setAttribute("class", "marks");
      svg.setAttribute("viewBox", "0 0 100 100");
      svg.setAttribute("preserveAspectRatio", "none");
      var rect = document.createElementNS(space, "rect");
      rect.setAttribute("class", "mark mark-chosen");
      ["x", "y", "width", "height"].forEach(function (name, place) {
        rect.setAttribute(name, frame[place]);
      });
      svg.appendChild(rect);
      sheet.appendChild(svg);
    }
    over.appendChild(sheet);
    document.body.appendChild(over);
    over.focus();
  }
  function undo() {
    undoing = true; // what is on its way arrives first
    send();
  }
  function submitted(event) {
    var item = closest(event.target, "check");
    if (!item) {
      return;
    }
    event.preventDefault();
    var button = event.submitter || clicked;
    var extra = {};
    if (button && button.form === event.target && button.name) {
      extra[button.name] = button.value;
    } else if (document.activeElement && document.activeElement.name === "note") {
      extra.cannot = "1";
    }
    clicked = null;
    if (!open_(item)) {
      return;
    }
    if (empty(item) && !extra.cannot && !extra.hasOwnProperty("offer") && !extra.empty) {
      return told(item, "Type what stands there. If nothing is written there, press F6.");
    }
    decide(item, extra);
  }
  function empty(item) {
    return !box(item).value.trim() && item.querySelector("[data-key='F6']");
  }
  function read(item) {
    item.className = item.className.replace(" check-wrong", "");
    if (left().length) {
      choose(left()[0]);
    } else {
      finish();
    }
  }
  function closest(element, name) {
    while (element && !(element.className && (" " + element.className + " ").indexOf(" " + name + " ") >= 0)) {
      element = element.parentElement;
    }
    return element;
  }
  function closestButton(element) {
    while (element && element.tagName !== "BUTTON") {
      element = element.parentElement;
    }
    return element;
  }
  function leaves(field, arrow) {
    if (field.tagName === "TEXTAREA") {
      return arrow === 38 ? field.selectionStart === 0 : field.selectionEnd === field.value.length;
    }
    return /^(INPUT|SELECT)$/.test(field.tagName) && !field.getAttribute("list");
  }
  function pressed(event) {
    var name = KEYS[event.keyCode];
    var over = document.getElementById("page-over");
    if (event.altKey || event.ctrlKey || event.metaKey) {
      return;
    }
    if (over && (event.keyCode === 27 || name === "F9")) {
      event.preventDefault();
      return page();
    }
    if (over) {
      return;
    }
    if (event.repeat && (name || event.keyCode === 13)) { // a key that is held down decides nothing
      return event.preventDefault();
    }
    var item = closest(event.target, "check") || current;
    if (name === "F10") {
      event.preventDefault();
      return undo();
    }
    if (!item) {
      return;
    }
    if (name) {
      event.preventDefault();
      if (name === "F8") {
        cannot(item);
      } else if (name === "F9") {
        page();
      } else if (open_(item)) {
        press(item, name);
      }
    } else if (/^(38|40)$/.test(event.keyCode) && !event.shiftKey && leaves(event.target, event.keyCode)) {
      event.preventDefault();
      step(event.keyCode === 38 ? -1 : 1);
    } else if (event.keyCode === 13 && event.target === box(item) && !event.shiftKey) {
      event.preventDefault();
      if (empty(item)) {
        told(item, "Type what stands there. If nothing is written there, press F6.");
      } else if (open_(item)) {
        decide(item, {});
      } else {
        read(item);
      }
    }
  }

  /* Groups: arrows move from picture to picture, the browser itself does the rest */

  function tiled(event) {
    var boxes = all(".tile-box", tiles);
    var place = boxes.indexOf(document.activeElement);
    var across = boxes.filter(function (other) {
      return other.getBoundingClientRect().top === boxes[0].getBoundingClientRect().top;
    }).length;
    var by = { 37: -1, 39: 1, 38: -across, 40: across }[event.keyCode];
    if (event.repeat && event.keyCode === 13) { // a key that is held down confirms no group unseen
      return event.preventDefault();
    }
    if (place >= 0 && by && boxes[place + by]) {
      event.preventDefault();
      boxes[place + by].focus();
    }
  }

  if (tiles) {
    document.addEventListener("keydown", tiled);
  }
  if (!work) {
    return;
  }
  document.addEventListener("keydown", pressed);
  document.addEventListener("submit", submitted);
  document.addEventListener("click", function (event) {
    clicked = closest(event.target, "check") ? closestButton(event.target) : null;
  }, true);
  document.addEventListener("focusin", function (event) {
    var item = closest(event.target, "check");
    if (item && item !== current && event.target === box(item)) {
      choose(item);
    }
  });
  window.addEventListener("beforeunload", function (event) {
    if (waiting.length) {
      event.preventDefault();
      event.returnValue = "Decisions wait to be sent.";
    }
  });
  kept().forEach(function (one) {
    var token = document.querySelector("[name=csrf_token]").value;
    waiting.push({
      data: one.data + "&csrf_token=" + encodeURIComponent(token), address: one.address, said: one.said
    });
  });
  send();
  // The browser itself focuses the first box of a page, and complains of a script that does so too.
  function begin() {
    if (!current && left().length) {
      choose(closest(document.activeElement, "check") || left()[0]);
    }
  }
  if (closest(document.activeElement, "check")) {
    begin();
  }
  window.addEventListener("load", function () {
    window.setTimeout(begin, 100);
  });
}());
