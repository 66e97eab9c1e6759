// The words of the trade: what people say when they look for a tool, beside what tools call it. Groups end at `;`
// or at the line; `a_b` is a pair of words. General English and computing only: nothing here knows a product's tools.

/** One may stand for any other of its group. */
export const SYNONYMS = `
  create make new; delete remove erase destroy drop; edit modify change update alter; copy duplicate clone
  get fetch retrieve obtain; show display view; find search lookup locate; send deliver transmit
  run execute; start launch begin; stop halt terminate kill end; cancel abort; rename retitle
  merge combine join concatenate; split divide separate; convert transform turn; compare diff difference
  verify validate check; analyze analysis analyse; calculate compute calculation; count number
  summarize summary summarise overview; recommend suggest recommendation suggestion; rank ranking
  translate translation; transcribe transcription; enable activate; disable deactivate
  allow permit permitted; approve accept; reject deny decline; login signin sign_in; logout signout sign_out
  authenticate auth authentication; authorize authorization auth; schedule plan; restore recover
  deploy deployment; undo revert rollback roll_back; compress zip archive; decompress unzip extract

  folder directory dir; document doc; documentation doc docs; size length; size bytes
  picture image photo photograph img; movie film video; video clip; song track music; color colour
  presentation powerpoint ppt pptx slide; slide deck; word docx; paragraph para
  spreadsheet excel xlsx workbook worksheet; subtitle caption transcript
  text_to_speech tts; speech_to_text stt; speech_to_text transcribe; text_to_speech speak

  url link uri; webpage page web_page; website site web_site; email mail e_mail; message msg
  person people; user member; customer client; company business firm; telephone phone; mobile phone
  meeting event appointment; datetime timestamp; timezone tz time_zone; organization org organisation
  administrator admin; job position vacancy; advertisement ad

  coordinate latitude longitude; coordinate lat lon lng; direction route; restaurant eatery
  hotel accommodation lodging; flight plane; train railway rail; temperature temp

  stock share equity; price cost; currency forex; exchange_rate currency; crypto cryptocurrency
  quantity amount; news headline; paper article publication; trend trending

  repository repo; pull_request pr; merge_request mr; issue ticket; dependency package library
  source_code code; command cmd; terminal shell console; parameter param argument; application app
  configuration config setting; key_value kv; environment env; environment_variable env; identifier id
  error exception failure; vulnerability cve; log logs; version release

  database db; row record; column field; virtual_machine vm; kubernetes k8s; container docker
  bucket storage; metric statistic stats; alert alarm; continuous_integration ci; access_token token

  entity node; relation relationship edge; memory remember recall; information info
  latest newest recent; maximum max; minimum min; average mean; previous prior; description describe
`;

/** The first word of a group is near each of the others; those are further from one another. */
export const KINDRED = `
  create add insert generate build produce compose; add attach append insert put; build compile
  write save store create; save store persist record remember keep; assign allocate
  edit set replace adjust revise patch; set configure assign update; delete clear purge clean
  get read show list view; list show get all browse enumerate; show get describe render; read get view open
  open load read; find list query get discover; query search ask sql; search query discover explore
  send post publish submit email message; publish post release share; share invite; submit fill_in
  run invoke trigger start call; move transfer relocate rename; wait sleep delay; print output
  convert export format; export download save; import upload load; download fetch get; upload send put store
  verify test confirm inspect; inspect examine describe check; analyze examine assess evaluate inspect insight
  calculate math arithmetic evaluate sum; count total; sort order rank; filter query; rank top leaderboard tier best
  draw paint sketch render; visualize plot chart graph diagram; chart graph plot diagram visualization
  summarize digest brief extract; explain describe document; describe detail info; recommend advise propose
  detail info metadata describe property; monitor watch track observe; subscribe watch follow
  restore undo backup; undo reset restore; unstage reset; backup snapshot copy
  lock unlock protect; protect encrypt password secure; secure security protect; extract parse scrape
  scrape crawl extract fetch; crawl map browse; browse navigate visit open; navigate goto visit open go_to
  click press tap; fill type enter input; select choose pick; screenshot capture snapshot; toggle enable disable
  invite add; reply respond answer comment; comment reply note review; review feedback comment rating
  book reserve reservation booking; buy purchase order; connect link attach; random shuffle sample
  scan detect; detect recognize identify; recognize read detect; think reflect plan; reason think
  diagnose troubleshoot problem debug; debug trace; language translate; question query ask; answer response reply

  folder path; directory tree; hierarchy tree nested structure; file document content; filename path file
  disk file filesystem storage; content text body; text string; pdf document; word document; heading title header
  title name heading; page tab; outline structure section; structure schema layout outline; slide layout
  layout template; template sample example; spreadsheet sheet table csv; excel sheet cell; chart image
  picture screenshot drawing icon; drawing canvas paint; photo camera; music audio sound; audio sound voice speech
  song playlist album artist; video movie youtube stream; subtitle text; temporary temp; image vision
  report document summary; statement report; note memo page; example sample snippet template; size big large

  url web website; website web page internet online; email inbox message; chat message conversation channel
  channel room group; thread conversation reply; contact people person lead; user account profile; team group member
  profile user bio; role permission access policy; allowed accessible permission; customer account; task todo item
  task job reminder; deal opportunity lead; board project sprint; meeting calendar schedule; calendar date schedule
  alert notification; notification alert message push; owner registrant; domain whois dns; ip address network

  date time day calendar; time clock date timestamp hour; now current today; current now latest; today date
  today current_date; history log changelog past; latest current last; first earliest
  weather forecast temperature climate rain; location place address map geographic; map location geographic
  address location geocode; geocode coordinate address geographic; coordinate location geographic position
  nearby near around close surrounding; distance near route; region location; route navigation path travel commute
  travel trip journey tour; restaurant food dining cafe; hotel room stay rental listing
  flight airline airport; train station ticket; station stop

  stock ticker symbol market; market stock exchange; price quote value rate; exchange convert rate
  exchange_rate convert; crypto bitcoin coin token; company corporation organization; finance financial
  income earnings profit revenue; revenue sales income; budget expense spending; pay payment charge invoice
  refund payment; invoice bill billing; cost billing price spending; transaction payment transfer
  balance account; wallet account balance; quota limit usage; usage quota consumption; subscription plan
  news article story; paper research study literature preprint; research paper study; trend popular hot
  popular popularity trending star download; book novel library

  repository codebase project; commit revision change; diff change; difference change; branch fork
  modified changed unstaged; pending unstaged staged; release tag; issue bug task; workflow pipeline action job
  build ci pipeline; package module npm; dependency require; code source snippet script program
  script program; library documentation; documentation reference manual guide api; guide tutorial manual
  guidance guideline practice recommendation; practice guideline guidance; component element widget
  element selector; process pid; command execute; function method

  database sql table; table schema database; schema structure definition; column attribute property; row entry item
  index collection; collection list set; dataset data; data dataset information record
  setting preference option property; option setting preference; secret password credential key
  credential key token; certificate cert ssl; server instance host machine; vm server instance compute
  cluster node; kubernetes cluster pod; container image; storage blob disk; blob object file; queue message topic
  topic subject; function lambda serverless; log trace event; metric measurement monitor; statistic analytics metric
  error problem issue; health status availability; status state health; bulk batch
  multiple several many batch bulk various; all every whole entire everything; device sensor; light lamp; switch toggle

  entity object fact; fact observation information; observation note fact; relation connection link
  link connection; memory knowledge note; knowledge graph; graph node; thought think reasoning
  prompt completion generate; chat completion; model llm ai; embedding vector; vector similarity
  gene variant mutation; variant mutation; drug medicine; disease condition; trial clinical study
  patient medical health; recipe cook meal dish food; cook recipe; meal dish food; game match play; match game
  player user summoner; player team; artwork art painting object; painting artwork art; museum gallery collection
`;

/** One-way groups: the first word also finds the others, but not the reverse. */
export const ASKED_AS = `
  remember create add store save note; recall read retrieve search open; forget delete remove erase clear memory
`;

/** Common words of other languages, accents folded, each with the English word that tools use. */
export const FOREIGN = `
  file datei dateien fichier fichiers archivo archivos arquivo; folder ordner dossier carpeta pasta
  read lies lesen lire lis leer lee ler; write schreibe schreiben ecrire ecris escribir escribe escrever
  search suche suchen chercher cherche recherche buscar busca procurar; find finde finden trouver trouve encontrar
  show zeige zeigen afficher montrer mostrar muestra; list liste auflisten lister listar
  create erstelle erstellen anlegen creer cree crear crea criar; delete losche loschen supprimer supprime borrar borra eliminar
  send sende senden schicke envoyer envoie enviar envia; open offne offnen ouvrir ouvre abrir abre
  image bild bilder imagen imagem; page seite pagina; web internet netz; website webseite
  message nachricht mensaje mensagem; weather wetter meteo clima tempo; time uhrzeit heure hora; date datum fecha
  remember merke merken erinnere souviens recuerda recordar; note notiz notizen nota
`;
