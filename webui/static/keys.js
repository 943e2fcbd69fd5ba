/* A bonus: keys of one letter press what carries them, and '?' shows the card of a page's keys.
   An error summary gets the focus. */
(function () {
  "use strict";
  var over = document.getElementById("keys-over");
  var card = document.getElementById("keys-card");
  var before = null; // what had the focus when the card was opened
  var summary = document.getElementById("error-summary");

  function all(selector, inside) {
    return Array.prototype.slice.call((inside || document).querySelectorAll(selector));
  }
  function typing(element) {
    var kind = (element.getAttribute("type") || "text").toLowerCase();
    return /^(TEXTAREA|SELECT)$/.test(element.tagName) || element.isContentEditable ||
      (element.tagName === "INPUT" && !/^(checkbox|radio|button|submit|file)$/.test(kind));
  }

  /* The card */

  function open() {
    before = document.activeElement;
    over.hidden = false;
    card.focus();
  }
  function close() {
    over.hidden = true;
    if (before && before !== document.body && before.focus) {
      before.focus();
    }
  }
  function keep(event) { // what a card in front covers gets neither keys nor the focus
    var stops = all("input, button, a[href]", card);
    var at = stops.indexOf(document.activeElement);
    if (event.keyCode === 27 || (event.key === "?" && letters())) {
      event.preventDefault();
      close();
    } else if (event.keyCode === 9) {
      event.preventDefault();
      at = at < 0 ? (event.shiftKey ? stops.length : -1) : at;
      stops[(at + (event.shiftKey ? -1 : 1) + stops.length) % stops.length].focus();
    }
    event.stopImmediatePropagation();
  }

  /* Keys of one letter */

  function letters() {
    return document.body.getAttribute("data-letters") === "on";
  }
  function unsaved() {
    return all("main form[method=post] input, main form[method=post] textarea").some(function (box) {
      return typing(box) && box.value !== box.defaultValue;
    }) || all("main form[method=post] option").some(function (option) {
      return option.selected && !option.defaultSelected && option.index > 0;
    });
  }
  function say(text) {
    var place = document.getElementById("keys-told");
    if (!place) {
      place = document.createElement("p");
      place.id = "keys-told";
      place.className = "keys-told";
      place.setAttribute("role", "status");
      document.body.appendChild(place);
    }
    place.textContent = text;
  }
  function press(event) {
    var found = all("[data-letter]").filter(function (one) {
      return one.getAttribute("data-letter") === event.key;
    })[0];
    if (!found) {
      return;
    }
    event.preventDefault();
    if (found.tagName === "INPUT") {
      found.focus();
      found.select();
    } else if (unsaved()) {
      say("Something that you typed is not saved yet. Save it first, then press the key again.");
    } else {
      found.click();
    }
  }
  function pressed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    if (over && !over.hidden) {
      return keep(event);
    }
    if (!letters() || event.repeat || typing(event.target)) {
      return;
    }
    if (event.key === "?" && over) {
      event.preventDefault();
      open();
    } else {
      press(event);
    }
  }

  /* Switching them off */

  function switched(box) {
    var said = document.getElementById("letters-said");
    var form = box.form;
    var request = new XMLHttpRequest();
    request.open("POST", form.getAttribute("action"));
    request.setRequestHeader("Content-Type", "application/x-www-form-urlencoded");
    request.onload = request.onerror = function () {
      if (request.status !== 200) {
        box.checked = letters();
        said.textContent = "This was not kept. Load the page again, and try once more.";
        return;
      }
      document.body.setAttribute("data-letters", box.checked ? "on" : "off");
      said.textContent = box.checked ? "They work from now on." :
        "They are off from now on. The link Keys at the foot of the page shows this card.";
    };
    request.send("csrf_token=" + encodeURIComponent(form.querySelector("[name=csrf_token]").value) +
      (box.checked ? "&letters=1" : ""));
  }

  document.addEventListener("keydown", pressed);
  if (over) {
    document.getElementById("keys-close").addEventListener("click", close);
    over.addEventListener("click", function (event) {
      if (event.target === over) {
        close();
      }
    });
    all("a[data-card]").forEach(function (link) {
      link.addEventListener("click", function (event) {
        event.preventDefault();
        open();
      });
    });
    document.getElementById("letters-card").addEventListener("change", function (event) {
      switched(event.target);
    });
    card.querySelector(".letters button").hidden = true;
  }
  if (summary) {
    summary.focus();
  }
}());
