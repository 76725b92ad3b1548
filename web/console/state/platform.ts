const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

export const commandKey = isMac ? "⌘" : "Ctrl";
