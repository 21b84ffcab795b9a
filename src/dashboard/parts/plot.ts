/** What of Observable Plot is used: a file of its own, so that it is loaded by itself and without the rest. */
export { axisX, axisY, barY, cell, line, plot, rectY, ruleY, text, utcInterval } from '@observablehq/plot'
