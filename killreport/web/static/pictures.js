"use strict";
// A picture that fails leaves the drawn tile below it. Errors of images do not bubble, so they are caught on the way down.
const isPicture = (node) => node instanceof HTMLImageElement && node.closest(".tile") !== null;
document.addEventListener("error", (event) => {
  if (isPicture(event.target)) event.target.remove();
}, true);
for (const picture of document.querySelectorAll(".tile img")) {
  if (picture.complete && picture.naturalWidth === 0 && picture.currentSrc !== "") picture.remove();
}
