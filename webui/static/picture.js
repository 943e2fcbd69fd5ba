/* A bonus: a picture larger than its frame is moved with the mouse, and keeps its place when it is
   made larger or smaller. Arrow keys scroll the frame by themselves once it has the focus. */
(function () {
  "use strict";
  var KEPT = "digitize-picture";
  var STILL = 4; // pixels that a hand moves while it clicks
  var frame = document.querySelector(".sheet-frame");
  var from = null; // where the mouse was pressed, and how far the picture was scrolled
  var moved = false;

  function pressed(event) {
    if (event.button !== 0 || !frame.contains(event.target)) {
      return;
    }
    var edge = frame.getBoundingClientRect();
    if (event.clientX - edge.left > frame.clientWidth || event.clientY - edge.top > frame.clientHeight) {
      return; // on a scroll bar
    }
    from = { x: event.clientX, y: event.clientY, left: frame.scrollLeft, top: frame.scrollTop };
    moved = false;
    event.preventDefault();
    frame.focus();
  }
  function dragged(event) {
    if (!from) {
      return;
    }
    if (event.buttons === 0) { // let go outside of the window
      return release();
    }
    var x = event.clientX - from.x;
    var y = event.clientY - from.y;
    if (moved || Math.abs(x) > STILL || Math.abs(y) > STILL) {
      moved = true;
      frame.className = "sheet-window sheet-frame sheet-moving";
      frame.scrollLeft = from.left - x;
      frame.scrollTop = from.top - y;
    }
  }
  function release() {
    from = null;
    if (frame) {
      frame.className = "sheet-window sheet-frame";
    }
  }

  /* The place that was looked at, from one size to the next */

  function middle() {
    return {
      page: page(),
      x: frame ? (frame.scrollLeft + frame.clientWidth / 2) / frame.scrollWidth : 0.5,
      y: frame ? (frame.scrollTop + frame.clientHeight / 2) / frame.scrollHeight : 0
    };
  }
  function page() { // whose picture it is, whatever its size
    var image = document.querySelector(".sheet img");
    return image ? image.getAttribute("src").replace(/[^\/]*$/, "") : "";
  }
  function look(x, y) {
    frame.scrollLeft = x * frame.scrollWidth - frame.clientWidth / 2;
    frame.scrollTop = y * frame.scrollHeight - frame.clientHeight / 2;
  }
  function keep() {
    try {
      window.sessionStorage.setItem(KEPT, JSON.stringify(middle()));
    } catch (full) { /* a private window: then it begins at the top */ }
  }
  function kept() {
    try {
      var one = JSON.parse(window.sessionStorage.getItem(KEPT));
      window.sessionStorage.removeItem(KEPT);
      return one && one.page === page() ? one : null;
    } catch (broken) {
      return null;
    }
  }
  function begin() {
    var one = kept();
    var mark = frame && (frame.querySelector(".mark-chosen") || frame.querySelector(".mark-hit"));
    if (!frame) {
      return;
    }
    if (one) {
      look(one.x, one.y);
      window.addEventListener("load", function () { // the browser itself focuses #page before
        window.setTimeout(function () {
          frame.focus();
        }, 0);
      });
    } else if (mark) {
      var box = mark.getBoundingClientRect();
      var edge = frame.getBoundingClientRect();
      look(
        (box.left + box.width / 2 - edge.left + frame.scrollLeft) / frame.scrollWidth,
        (box.top + box.height / 2 - edge.top + frame.scrollTop) / frame.scrollHeight
      );
    }
  }

  /* Where the picture stays in sight while the fields are scrolled, so does the field it shows */

  function showField() {
    var field = document.querySelector(".field-chosen");
    var column = document.querySelector(".column-page");
    if (!field || window.location.hash !== "#page"
        || window.getComputedStyle(column).position.indexOf("sticky") < 0) {
      return;
    }
    window.addEventListener("load", function () { // the browser itself goes to #page before
      window.setTimeout(function () {
        field.scrollIntoView({ block: "center" });
      }, 0);
    });
  }

  Array.prototype.forEach.call(document.querySelectorAll("a[data-look]"), function (link) {
    if (link.getAttribute("data-look") !== "turn") {
      link.addEventListener("click", keep);
    }
  });
  if (frame) {
    document.addEventListener("mousedown", pressed);
    document.addEventListener("mousemove", dragged);
    document.addEventListener("mouseup", release);
    frame.addEventListener("click", function (event) {
      if (moved) { // the mark of a field under the mouse was dragged, not pressed
        event.preventDefault();
      }
    }, true);
  }
  begin();
  showField();
}());
