/** What of Observable Plot is used: a file of its own, so that it is loaded by itself and without the rest. */
export { axisY, line, plot, rectY, ruleY, utcInterval } from '@observablehq/plot'
