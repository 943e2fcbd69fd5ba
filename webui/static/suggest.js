/* A bonus: while one types in the search box, words that finish the last one are offered below it. */
(function () {
  "use strict";
  var box = document.getElementById("q");
  if (!box || !box.getAttribute("data-suggest")) { return; }
  var list = document.createElement("ul");
  var said = document.createElement("p");
  var asked = null, waiting = null, chosen = -1, typed = "";

  list.id = "q-offers";
  list.className = "offers";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Words that begin so");
  list.hidden = true;
  said.className = "hidden";
  said.setAttribute("role", "status");
  box.parentNode.appendChild(list);
  box.parentNode.appendChild(said);
  box.setAttribute("role", "combobox");
  box.setAttribute("aria-autocomplete", "list");
  box.setAttribute("aria-expanded", "false");
  box.setAttribute("aria-controls", list.id);

  function close() {
    clearTimeout(waiting);
    if (asked) { asked.abort(); asked = null; }
    list.hidden = true;
    chosen = -1;
    box.setAttribute("aria-expanded", "false");
    box.removeAttribute("aria-activedescendant");
  }

  function choose(number) {
    var options = list.children, i;
    chosen = number;
    for (i = 0; i < options.length; i += 1) {
      options[i].setAttribute("aria-selected", i === number ? "true" : "false");
    }
    if (number < 0) {
      box.removeAttribute("aria-activedescendant");
      box.value = typed;
    } else {
      box.setAttribute("aria-activedescendant", options[number].id);
      box.value = options[number].textContent;
    }
  }

  function show(words) {
    var i, option;
    list.textContent = "";
    chosen = -1;
    for (i = 0; i < words.length; i += 1) {
      option = document.createElement("li");
      option.id = "q-offer-" + i;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.textContent = words[i];
      list.appendChild(option);
    }
    list.hidden = words.length === 0;
    box.setAttribute("aria-expanded", words.length ? "true" : "false");
    box.removeAttribute("aria-activedescendant");
    said.textContent = words.length === 1 ? "1 offer" : words.length ? words.length + " offers" : "";
  }

  function ask() {
    var request = new XMLHttpRequest(), text = box.value;
    if (asked) { asked.abort(); }
    asked = request;
    request.open("GET", box.getAttribute("data-suggest") + "?q=" + encodeURIComponent(text));
    request.onload = function () {
      var words = [];
      if (request !== asked || box.value !== text || document.activeElement !== box) { return; }
      asked = null;
      if (request.status === 200 && /json/.test(request.getResponseHeader("Content-Type"))) {
        words = JSON.parse(request.responseText);
      }
      show(words);
    };
    request.send();
  }

  box.addEventListener("input", function () {
    close();
    typed = box.value;
    waiting = setTimeout(ask, 120);
  });

  box.addEventListener("keydown", function (event) {
    var count = list.children.length, key = event.key;
    if (list.hidden || event.ctrlKey || event.altKey || event.metaKey) { return; }
    if (key === "ArrowDown" || key === "Down") {
      choose(chosen + 1 < count ? chosen + 1 : -1);
    } else if (key === "ArrowUp" || key === "Up") {
      choose(chosen < 0 ? count - 1 : chosen - 1);
    } else if (key === "Escape" || key === "Esc") {
      choose(-1);
      close();
    } else {
      return;
    }
    event.preventDefault();
  });

  list.addEventListener("mousedown", function (event) {
    var option = event.target, number = Array.prototype.indexOf.call(list.children, option);
    event.preventDefault(); /* the box keeps the focus */
    if (number >= 0) {
      choose(number);
      close();
      box.form.submit();
    }
  });

  box.addEventListener("blur", close);
}());
