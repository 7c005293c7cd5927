// Every page loads this. Each module adds a gesture to markup that already works without it.
import "./theme.js";
import "./menus.js";
import "./charts.js";
import "./copy.js";
import "./toasts.js";
import "./selection.js";
import "./cells.js";
import "./columns.js";
import "./board.js";
import "./drawer.js";
import "./drafts.js";
import "./definitions.js";
import "./shortcuts.js";
import "./palette.js";
