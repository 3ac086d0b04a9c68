// @ts-check
import { CannedReplies } from "./canned.js";
import { Closing } from "./closing.js";
import { Company } from "./company.js";
import { Mentions } from "./mentions.js";
import { Notes } from "./notes.js";
import { PassedOn } from "./passed-on.js";
import { Recall } from "./recall.js";
import { Transfer } from "./transfer.js";
import { AgentFiles } from "./tray.js";
import { Panel } from "./panel.js";
import { Supervision } from "./supervision.js";
import { Suggestion } from "./suggestion.js";

import { CommandBar } from "./command-bar.js";
import { Labels } from "./labels.js";
import { Notifications } from "./notifications.js";
import { Search } from "./search.js";
/**
 * What stands beside the conversation in the workspace, one class each: made with the workspace
 * when the page has loaded, they listen to it and use what it offers (workspace.js says what).
 *
 * @type {(new (workspace: import("./workspace.js").CsWorkspace) => object)[]}
 */
export const PARTS = [
  Panel,
  Suggestion,
  Supervision,
  CannedReplies,
  Company,
  Closing,
  Mentions,
  Notes,
  PassedOn,
  Recall,
  Transfer,
  AgentFiles,
  CommandBar,
  Labels,
  Notifications,
  Search,
];
