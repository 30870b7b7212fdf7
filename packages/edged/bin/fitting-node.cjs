// Which Node.js this package runs on, asked before anything of it is loaded or installed: so this
// is written for every Node.js there is. `engines` in package.json is the one place that says it.
'use strict';
var needed = require('../package.json').engines.node;

/** Undefined, or one sentence: what was found and what is needed. */
module.exports = function problemOf(version) {
  var found = version.replace(/^v/, '').split('.').map(Number);
  var fits = needed.split(' || ').some(function (range) {
    var least = /^(\^|>=)(\d+)\.(\d+)\.(\d+)$/.exec(range);
    var newer = found[0] - least[2] || found[1] - least[3] || found[2] - least[4];
    return newer >= 0 && (least[1] === '>=' || found[0] === Number(least[2]));
  });
  return fits ? undefined : 'needs Node.js ' + needed + ', found v' + found.join('.');
};
