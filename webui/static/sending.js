/* What was decided, kept in this window until the server has it, and sent again when the connection
   was lost; under a key, so that nothing is written twice. Every page of checking sends what waits. */
(function () {
  "use strict";
  var RETRY_MS = 3000;
  var PERSON = document.body.getAttribute("data-person");
  var KEPT = "digitize-decisions-" + PERSON; // nobody sends what another has decided
  var waiting = []; // decisions on their way: {key, data, address, value, said}
  var keys = []; // of what was decided in this window and not refused, the last one last
  var sending = false;
  var hears = { refused: lost, done: function () { /* nothing waits */ } };

  function keep() {
    try {
      window.sessionStorage.setItem(KEPT, JSON.stringify(waiting.map(function (one) {
        var data = one.data.replace(/(^|&)csrf_token=[^&]*/, "");
        return { key: one.key, data: data, address: one.address, value: one.value, said: one.said };
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
  function newKey() {
    return Date.now().toString(36) + Math.random().toString(36).slice(2);
  }
  function add(one) {
    waiting.push(one);
    keys.push(one.key);
    keep();
    send();
  }
  function token() {
    return document.querySelector("[name=csrf_token]").value;
  }
  function send() {
    if (sending) {
      return;
    }
    if (!waiting.length) {
      return hears.done();
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
        keys.splice(keys.indexOf(one.key), 1);
        hears.refused(one, request.status, sentence(request));
      }
      send();
    };
    request.onerror = request.ontimeout = function () {
      sending = false;
      trouble("There is no connection to the server.");
      window.setTimeout(send, RETRY_MS);
    };
    request.send(one.data.replace(/(^|&)csrf_token=[^&]*/, "") + "&csrf_token=" + encodeURIComponent(token()));
  }
  /* A session that began anew has another token: it is taken from a fresh page of the same person. */
  function renew(one) {
    var request = new XMLHttpRequest();
    request.open("GET", "/check");
    request.onload = function () {
      var page = new DOMParser().parseFromString(request.responseText, "text/html");
      var fresh = page.querySelector("[name=csrf_token]");
      if (request.status === 200 && fresh && page.body.getAttribute("data-person") === PERSON) {
        one.renewed = true;
        Array.prototype.forEach.call(document.querySelectorAll("[name=csrf_token]"), function (field) {
          field.value = fresh.value;
        });
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
  function sentence(request) {
    try {
      return JSON.parse(request.responseText).said || "This was not saved.";
    } catch (page) { // an error page
      return "This was not saved.";
    }
  }
  function notice() {
    var place = document.createElement("div");
    var main = document.getElementById("main");
    place.className = "notice notice-bad";
    place.setAttribute("role", "alert");
    main.insertBefore(place, main.firstChild);
    return place;
  }
  function lost(one, status, said) {
    notice().textContent = said + " You had said " + (one.said || "something") + ".";
  }
  function trouble(said) {
    var place = document.getElementById("trouble");
    if (!place) {
      place = notice();
      place.id = "trouble";
      place.className += " work-trouble";
    }
    place.hidden = !said;
    if (said) {
      var count = waiting.length === 1 ? "1 decision waits" : waiting.length + " decisions wait";
      place.textContent = said + " " + (waiting.length ? count + " in this window, and will be sent." : "");
    }
  }

  window.Sending = {
    hears: hears,
    lost: lost,
    newKey: newKey,
    add: add,
    send: send,
    waits: function () {
      return waiting.length > 0;
    },
    waiting: function () {
      return waiting.slice();
    },
    /* Take back what was decided last in this window, or else what the page names. */
    undo: function (button) {
      if (keys.length) {
        button.form.elements.key.value = keys[keys.length - 1];
      }
      button.form.submit();
    }
  };
  window.addEventListener("beforeunload", function (event) {
    if (waiting.length) {
      event.preventDefault();
      event.returnValue = "Decisions wait to be sent.";
    }
  });
  waiting = kept();
  keys = waiting.map(function (one) {
    return one.key;
  });
  document.addEventListener("DOMContentLoaded", send); // the page's own scripts hear of it by then
}());
