// @ts-check
/**
 * What the customer's chat is made of beside the messages, one class each: made with `<cs-chat>`
 * when the page has loaded, they listen to it and use what it offers (chat.js says what).
 */
import { CallForHuman } from "./call-for-human.js";
import { ChatMenu } from "./chat-menu.js";
import { Ending } from "./ending.js";
import { Greeting } from "./greeting.js";
import { LeftAddress } from "./left-address.js";
import { Rating } from "./rating.js";
import { ReadMarks } from "./read-marks.js";
import { StatusLine } from "./status-line.js";
import { Thumbs } from "./thumbs.js";
import { Transcript } from "./transcript.js";
import { CustomerFiles } from "./tray.js";

/** @type {(new (chat: import("./chat.js").CsChat) => object)[]} */
export const CHAT_PARTS = [
  Greeting,
  StatusLine,
  CallForHuman,
  CustomerFiles,
  ReadMarks,
  Thumbs,
  Rating,
  LeftAddress,
  ChatMenu,
  Ending,
  Transcript,
];
