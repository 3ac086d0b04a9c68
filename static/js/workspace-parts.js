// @ts-check
/**
 * What stands beside the conversation in the workspace, one class each: made with the workspace
 * when the page has loaded, they listen to it and use what it offers (workspace.js says what).
 *
 * @type {(new (workspace: import("./workspace.js").CsWorkspace) => object)[]}
 */
export const PARTS = [];
