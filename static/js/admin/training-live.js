// @ts-check
/**
 * Has the progress of a training read again the moment it moves. The socket says "look" and no
 * more; htmx asks for the panel then, and every few seconds anyway, should the socket be away.
 */

import { comeBackMs } from "../connection.js";

const MOVED = "training-moved";

/** @param {number} attempt 0 for the first */
function follow(attempt) {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/ws/admin/training/`);
  let tries = attempt;
  socket.addEventListener("message", () => {
    tries = 0;
    document.body.dispatchEvent(new CustomEvent(MOVED));
  });
  socket.addEventListener("close", (event) => {
    setTimeout(() => follow(tries + 1), comeBackMs(event.code, tries, Math.random()));
  });
}

follow(0);
