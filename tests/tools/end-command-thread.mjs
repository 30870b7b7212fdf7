// Ends the thread in which the commands of a test file ran.
import { afterAll } from '@jest/globals';
import { endCommandThread } from '@edged/testkit/device/command-in-thread';

afterAll(endCommandThread);
