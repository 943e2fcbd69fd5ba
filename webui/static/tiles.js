/* Groups: arrows move from picture to picture, F10 takes back, the browser itself does the rest. */
(function () {
  "use strict";
  var ENTER = 13, F10 = 121, PAUSE_MS = 3000;
  var tiles = document.getElementById("tiles");
  var gone = false; // something was sent: what is pressed twice is meant once

  // Not by the page itself: Enter held down from the page before would confirm this one unseen.
  if (tiles && tiles.querySelector(".tile-box")) {
    tiles.querySelector(".tile-box").focus();
  }

  document.addEventListener("keydown", function (event) {
    if (event.altKey || event.ctrlKey || event.metaKey) {
      return;
    }
    if (event.repeat && (event.keyCode === ENTER || event.keyCode === F10)) {
      event.preventDefault(); // a key that is held down decides nothing
    } else if (event.keyCode === F10) {
      event.preventDefault();
      undo();
    } else if (tiles) {
      move(event);
    }
  });
  document.addEventListener("submit", function (event) {
    if (gone) {
      event.preventDefault();
    } else if (event.target.querySelector("[data-key='F10']")) {
      event.preventDefault();
      undo();
    } else {
      left();
    }
  });
  function undo() {
    if (!gone && !window.Sending.waits()) {
      left();
      window.Sending.undo(document.querySelector("[data-key='F10']"));
    }
  }
  /* The page is left for the next, in a moment or, where there is no connection, not at all. */
  function left() {
    gone = true;
    window.setTimeout(function () {
      gone = false;
    }, PAUSE_MS);
  }
  function move(event) {
    var boxes = Array.prototype.slice.call(tiles.querySelectorAll(".tile-box"));
    var place = boxes.indexOf(document.activeElement);
    var across = boxes.filter(function (other) {
      return other.getBoundingClientRect().top === boxes[0].getBoundingClientRect().top;
    }).length;
    var by = { 37: -1, 39: 1, 38: -across, 40: across }[event.keyCode];
    if (place >= 0 && by && boxes[place + by]) {
      event.preventDefault();
      boxes[place + by].focus();
    }
  }
}());
