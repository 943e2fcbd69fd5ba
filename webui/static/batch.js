/* A bonus: a batch's progress comes afresh every three seconds while records wait. */
(function () {
  "use strict";
  var EVERY_MS = 3000;
  var region = document.getElementById("progress");
  function waiting() {
    var inner = document.getElementById("progress-in");
    return inner && inner.getAttribute("data-waiting") !== "0";
  }
  function again() {
    if (waiting()) {
      window.setTimeout(ask, EVERY_MS);
    }
  }
  function ask() {
    var request = new XMLHttpRequest();
    request.open("GET", region.getAttribute("data-from"));
    request.onload = function () {
      // Someone who was signed out meanwhile gets another page: leave what is there.
      if (request.status === 200 && request.responseText.indexOf("progress-in") > 0) {
        if (!region.contains(document.activeElement)) {
          region.innerHTML = request.responseText;
        }
        again();
      }
    };
    request.onerror = again;
    request.send();
  }
  if (region) {
    again();
  }
}());
