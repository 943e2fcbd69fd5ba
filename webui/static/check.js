/* Checking with the keyboard alone; what is decided is sent by sending.js. Without scripts each field
   is a form of its own. */
(function () {
  "use strict";
  var AHEAD = 10; // fields left when the next ones are fetched
  var TYPED = "digitize-typed-" + document.body.getAttribute("data-person");
  var KEYS = { 113: "F2", 114: "F3", 115: "F4", 117: "F6", 119: "F8", 120: "F9", 121: "F10" };
  var work = document.getElementById("work");
  var Sending = window.Sending;
  var current = null;
  var began = 0;
  var count = null; // of what is left, once it is known
  var clicked = null; // the button that a form is sent by
  var undoing = false;
  var decided = {}; // by address: what the server may not have heard of when it gives the next ones
  var ready = []; // pages with the next fields, fetched ahead
  var asking = false;
  var ended = false; // there is nothing more to fetch

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
    if (!sheet) {
      return;
    }
    var image = sheet.querySelector("img");
    var source = item.getAttribute("data-sheet");
    if (source && image.getAttribute("src") !== source) {
      image.setAttribute("src", source);
    }
    sheet.hidden = !source;
    frame(sheet.querySelector("rect"), item);
  }
  function frame(rect, item) {
    var edges = (item.getAttribute("data-frame") || "").split(" ");
    rect.setAttribute("visibility", edges.length === 4 ? "visible" : "hidden");
    ["x", "y", "width", "height"].forEach(function (name, place) {
      rect.setAttribute(name, edges.length === 4 ? edges[place] : 0);
    });
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
  function decide(item, extra) {
    if (undoing) {
      return told(item, "Your last decision is being taken back; wait until it is.");
    }
    var form = item.querySelector("form");
    var value = extra.hasOwnProperty("offer") ? extra.offer : box(item).value;
    extra.seconds = ((Date.now() - began) / 1000).toFixed(2);
    extra.key = Sending.newKey();
    var one = {
      key: extra.key, data: encoded(form, extra), address: address_of(item), value: value,
      said: item.querySelector("label").textContent + ": " + value
    };
    done(item);
    told(item, "");
    var after = items().indexOf(item);
    var rest = left();
    choose(rest.filter(function (other) {
      return items().indexOf(other) > after;
    })[0] || rest[0] || null);
    Sending.add(one);
    finish();
  }
  /* How many are left, as far as this person's own decisions go */
  function tell(change) {
    var place = work.querySelector(".work-left strong");
    if (place) {
      count = (count === null ? +place.textContent.replace(/,/g, "") : count) + change;
      place.textContent = String(Math.max(count, 0)).replace(/\B(?=(\d{3})+$)/g, ",");
    }
  }
  function done(item) {
    tell(-1);
    box(item).readOnly = true; // F10 takes it back
    decided[address_of(item)] = true;
    item.className += " check-done";
  }
  /* What is still to be sent from before the page was loaded is decided, whatever the page shows. */
  function resumed(one) {
    var item = shown(one.address);
    decided[one.address] = true;
    if (item && open_(item)) {
      box(item).value = one.value;
      done(item);
    }
  }
  function refused(one, status, said) {
    var item = shown(one.address);
    if (undoing) { // what was to be taken back may be this
      undoing = false;
      said += " Nothing was taken back.";
    }
    if (!item) {
      return Sending.lost(one, status, said);
    }
    told(item, said);
    item.className += " check-wrong";
    if (status !== 409) { // else someone else has it: there is nothing more to do but read it
      tell(1);
      item.className = item.className.replace(" check-done", "");
      box(item).readOnly = false;
    }
    if (status !== 409 || !left().length) {
      choose(item);
    }
  }
  function shown(address) {
    return items().filter(function (item) {
      return address_of(item) === address;
    })[0];
  }
  function address_of(item) {
    return item.querySelector("form").getAttribute("action");
  }
  function unread() {
    return all(".check-wrong.check-done", work).length;
  }
  function told(item, said) {
    var place = item.querySelector(".check-told");
    place.hidden = !said;
    place.textContent = said;
  }

  /* The next fields */

  function fetchAhead() {
    var last = ready[ready.length - 1] || work;
    var address = last.getAttribute("data-ahead");
    var ahead = ready.reduce(function (count, page) {
      return count + all(".check", page).length;
    }, left().length);
    if (asking || ended || !address || ahead > AHEAD) {
      return;
    }
    asking = true;
    var request = new XMLHttpRequest();
    request.open("GET", address);
    request.onload = function () {
      var page = new DOMParser().parseFromString(request.responseText, "text/html");
      asking = false;
      fetched(request.status === 200 ? page.getElementById("work") : null);
    };
    request.onerror = function () {
      asking = false;
    };
    request.send();
  }
  function fetched(page) {
    ended = !page || !page.querySelector(".check");
    if (!ended) {
      all(".check", page).forEach(function (item) {
        if (decided[address_of(item)]) {
          item.parentNode.removeChild(item);
        }
      });
      all("img", page).slice(0, AHEAD + 2).forEach(function (image) {
        new Image().src = image.getAttribute("src");
      });
      ready.push(page);
      fetchAhead();
    }
    finish();
  }
  function finish() {
    if (undoing && !Sending.waits()) {
      return takeBack();
    }
    if (!items().length || left().length || unread()) {
      return;
    }
    while (ready.length && !ready[0].querySelector(".check")) {
      ready.shift();
    }
    if (ready.length) {
      var made = document.importNode(ready.shift(), true);
      all("[autofocus]", made).forEach(function (field) {
        field.autofocus = false;
      });
      work.parentNode.replaceChild(made, work);
      work = made;
      tell(0);
      ended = false;
      window.scrollTo(0, 0);
      choose(left()[0]);
    } else if (!Sending.waits() && !asking) {
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
    if (!current.getAttribute("data-sheet")) {
      return told(current, "There is no picture of this page.");
    }
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
    var space = "http://www.w3.org/2000/svg";
    var svg = document.createElementNS(space, "svg");
    svg.setAttribute("class", "marks");
    svg.setAttribute("viewBox", "0 0 100 100");
    svg.setAttribute("preserveAspectRatio", "none");
    var rect = document.createElementNS(space, "rect");
    rect.setAttribute("class", "mark mark-chosen");
    frame(rect, current);
    svg.appendChild(rect);
    sheet.appendChild(svg);
    over.appendChild(sheet);
    document.body.appendChild(over);
    over.focus();
  }
  function undo() {
    undoing = true; // what is on its way arrives first
    if (current && Sending.waits()) {
      told(current, "Your last decision is taken back as soon as it has arrived.");
    }
    finish();
  }
  function takeBack() {
    keepTyped();
    Sending.undo(document.querySelector("[data-key='F10']"));
  }

  /* What is half typed when a page is left to take something back */

  function keepTyped() {
    var typed = {};
    left().forEach(function (item) {
      var field = box(item);
      if (field.tagName !== "SELECT" && field.value !== field.defaultValue) {
        typed[address_of(item)] = { was: field.defaultValue, value: field.value };
      }
    });
    try {
      window.sessionStorage.setItem(TYPED, JSON.stringify(typed));
    } catch (full) { /* a private window: it is typed again */ }
  }
  function typeAgain() {
    var typed = {};
    try {
      typed = JSON.parse(window.sessionStorage.getItem(TYPED) || "{}");
      window.sessionStorage.removeItem(TYPED);
    } catch (broken) { /* as if nothing was typed */ }
    left().forEach(function (item) {
      var kept = typed[address_of(item)];
      if (kept && kept.was === box(item).defaultValue) {
        box(item).value = kept.value;
      }
    });
  }

  /* What is pressed */

  function submitted(event) {
    var item = closest(event.target, "check");
    if (event.target.querySelector("[data-key='F10']")) {
      event.preventDefault();
      return undo();
    }
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
  window.addEventListener("pageshow", function (event) {
    undoing = undoing && !event.persisted;
  });
  Sending.hears.refused = refused;
  Sending.hears.done = finish;
  Sending.waiting().forEach(resumed);
  typeAgain();
  // The browser itself focuses the first box of a page, and complains of a script that does so too.
  function begin() {
    var item = closest(document.activeElement, "check");
    if (!(current && open_(current)) && left().length) {
      choose(item && open_(item) ? item : left()[0]);
    }
  }
  if (closest(document.activeElement, "check")) {
    begin();
  }
  window.addEventListener("load", function () {
    window.setTimeout(begin, 100);
  });
}());
