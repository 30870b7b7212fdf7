// Ends the test output with one plain line that any script can read: "N passed, N failed".
export default class ClosingLineReporter {
  onRunComplete(_contexts, results) {
    const crashedSuites = results.numRuntimeErrorTestSuites;
    const failed = results.numFailedTests + crashedSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    const tail = skipped > 0 ? `, ${skipped} skipped` : '';
    const line = `\n${results.numPassedTests} passed, ${failed} failed${tail}\n`;
    // jest's own summary is still to come; this line is the last one
    process.once('exit', () => process.stdout.write(line));
  }
}
