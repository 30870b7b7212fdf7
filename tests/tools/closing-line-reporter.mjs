// Ends the test output with one plain line that any script can read: "N passed, N failed".
export default class ClosingLineReporter {
  onRunComplete(_contexts, results) {
    const crashedSuites = results.numRuntimeErrorTestSuites;
    const failed = results.numFailedTests + crashedSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    const tail = skipped > 0 ? `, ${skipped} skipped` : '';
    process.stdout.write(`\n${results.numPassedTests} passed, ${failed} failed${tail}\n`);
  }
}
