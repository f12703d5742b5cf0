/** Bytes in a saved page. */

/** What was written in base64. @param {string} text */
export const viewOf = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
