/* A bonus: '/' goes to the search box, and an error summary or first fault gets the focus. */
(function () {
  "use strict";
  function typing(element) {
    return /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);
  }
  document.addEventListener("keydown", function (event) {
    var box = document.getElementById("q");
    if (event.key !== "/" || event.ctrlKey || event.altKey || event.metaKey || typing(event.target)) {
      return;
    }
    if (box) {
      event.preventDefault();
      box.focus();
      box.select();
    }
  });
  var summary = document.getElementById("error-summary");
  if (summary) {
    summary.focus();
  }
}());
