// Windows Job Objects: a child and all that it starts end together, also if the gateway is killed, because the last
// handle of the job closes with the gateway (learn.microsoft.com, "Job Objects").

/** A job with the processes of one child: the child itself and everything that it starts. */
export interface Job {
  /** Ends every process in the job. */
  terminate(): void;
  /** True if no process of the job runs any more. */
  isEmpty(): boolean;
  /** Closes the job. Processes that still run are ended. */
  close(): void;
}

type OpenJob = (pid: number) => Job | undefined;

const KILL_ON_JOB_CLOSE = 0x2000;
/** JOBOBJECT_EXTENDED_LIMIT_INFORMATION of 64-bit Windows, with LimitFlags at byte 16. */
const EXTENDED_LIMITS = { infoClass: 9, bytes: 144, limitFlagsAt: 16 };
/** JOBOBJECT_BASIC_ACCOUNTING_INFORMATION, with ActiveProcesses at byte 40. */
const ACCOUNTING = { infoClass: 1, bytes: 48, activeProcessesAt: 40 };
/** PROCESS_TERMINATE and PROCESS_SET_QUOTA, which AssignProcessToJobObject asks for. */
const ACCESS = 0x0101;
const EXIT_CODE = 1;

let open: OpenJob = () => undefined;
let loading: Promise<void> | undefined;

/** Makes `openJob` work. To be awaited before a child is started; does nothing on other systems. */
export function loadJobs(): Promise<void> {
  if (process.platform !== "win32") return Promise.resolve();
  loading ??= findSystemCalls().then((found) => {
    open = found;
  });
  return loading;
}

/** Puts a process that was just started into a job of its own; undefined if the system refuses. */
export function openJob(pid: number): Job | undefined {
  return open(pid);
}

async function findSystemCalls(): Promise<OpenJob> {
  const { dlopen, ptr } = await import("bun:ffi");
  const { symbols } = dlopen("kernel32.dll", {
    CreateJobObjectW: { args: ["ptr", "ptr"], returns: "u64" },
    SetInformationJobObject: { args: ["u64", "i32", "ptr", "u32"], returns: "i32" },
    QueryInformationJobObject: { args: ["u64", "i32", "ptr", "u32", "ptr"], returns: "i32" },
    OpenProcess: { args: ["u32", "i32", "u32"], returns: "u64" },
    AssignProcessToJobObject: { args: ["u64", "u64"], returns: "i32" },
    TerminateJobObject: { args: ["u64", "u32"], returns: "i32" },
    CloseHandle: { args: ["u64"], returns: "i32" },
  } as const);

  const putInto = (job: bigint, pid: number): boolean => {
    const limits = new DataView(new ArrayBuffer(EXTENDED_LIMITS.bytes));
    limits.setUint32(EXTENDED_LIMITS.limitFlagsAt, KILL_ON_JOB_CLOSE, true);
    const { infoClass, bytes } = EXTENDED_LIMITS;
    if (symbols.SetInformationJobObject(job, infoClass, ptr(limits), bytes) === 0) return false;
    const child = symbols.OpenProcess(ACCESS, 0, pid);
    if (child === 0n) return false;
    const isIn = symbols.AssignProcessToJobObject(job, child) !== 0;
    symbols.CloseHandle(child);
    return isIn;
  };
  const countActive = (job: bigint): number => {
    const counts = new DataView(new ArrayBuffer(ACCOUNTING.bytes));
    const { infoClass, bytes, activeProcessesAt } = ACCOUNTING;
    const isKnown = symbols.QueryInformationJobObject(job, infoClass, ptr(counts), bytes, null) !== 0;
    return isKnown ? counts.getUint32(activeProcessesAt, true) : 0;
  };

  return (pid) => {
    const job = symbols.CreateJobObjectW(null, null);
    if (job === 0n) return;
    if (!putInto(job, pid)) {
      symbols.CloseHandle(job);
      return;
    }
    return {
      terminate: () => void symbols.TerminateJobObject(job, EXIT_CODE),
      isEmpty: () => countActive(job) === 0,
      close: () => void symbols.CloseHandle(job),
    };
  };
}
